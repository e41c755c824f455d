// The popularity of articles over days, as a news portal has it.
//
// Few articles get most of the views: the strength of the article of rank k is 1 / (k + q) (Zipf–Mandelbrot). Every day
// articles are born. An article's views decay by a power of its age. One article in fifty is an evergreen, whose views
// stay. Each day has a random level, and each number of views is drawn from a Poisson distribution.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace viewcount::bench {

inline constexpr size_t kHoursOfDay = 24;

// The views of an article in some span of time.
struct ArticleViews {
  uint32_t article = 0;
  uint32_t views = 0;
};

// Equal seeds give equal histories on every machine with the same mathematical functions. Not thread-safe.
class Popularity {
 public:
  struct Shape {
    size_t articles = 0;
    // At most 10,000.
    size_t days = 0;
    // The average views of a day.
    double views_per_day = 0;
    uint64_t seed = 0;
  };
  explicit Popularity(const Shape& shape);

  // Prepares a day from 0 to days − 1. The numbers below are those of the prepared day. `share` (0 to 1) is the part of
  // the day's views that has come.
  void Begin(size_t day, double share);
  // Draws the views of an article on the day.
  uint32_t Draw(uint32_t article);
  // Distributes views of the day over its first `hours` hours. An article has none before its birth, unless it was born
  // later than that.
  std::array<uint32_t, kHoursOfDay> DivideByHour(uint32_t article, uint32_t views, size_t hours);

  // Returns the number of days from the history's first day to the birth. Below 0 if the article is older.
  double birth(uint32_t article) const { return births_[article]; }
  // Returns the part of a day's views that comes in its first hours.
  static double ShareOf(double hours);

 private:
  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }
  double Weight(uint32_t article) const;
  uint32_t Poisson(double mean);

  const Shape shape_;
  std::mt19937_64 random_;
  std::vector<float> births_;
  std::vector<float> strengths_;
  std::vector<bool> evergreen_;
  // By age in days.
  std::vector<double> decay_;
  int day_ = 0;
  // The expected views of an article with weight 1.
  double views_per_weight_ = 0;
};

}  // namespace viewcount::bench
