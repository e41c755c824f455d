// Articles for benchmarks: IDs of about 25 bytes, drawn by Zipf's law with exponent 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace viewcount {

inline std::string ArticleId(size_t index) { return "/news/2026/story-" + std::to_string(10'000'000 + index); }

inline std::vector<std::string> ArticleIds(size_t count) {
  std::vector<std::string> ids;
  ids.reserve(count);
  for (size_t i = 0; i < count; ++i) ids.push_back(ArticleId(i));
  return ids;
}

// Draws ranks from 1 to `count`. Rank k has a probability proportional to 1 / k. Needs constant time and memory, by
// rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
// distributions", 1996). A regular type. Thread-safe if each thread uses its own generator.
class ZipfDistribution {
 public:
  explicit ZipfDistribution(size_t count)
      : count_(static_cast<double>(count)),
        area_low_(std::log(1.5) - 1),
        area_high_(std::log(count_ + 0.5)),
        always_taken_(2 - std::exp(std::log(2.5) - 0.5)) {}

  template <typename Random>
  size_t operator()(Random& random) const {
    std::uniform_real_distribution<> place(area_low_, area_high_);
    while (true) {
      const double area = place(random);
      const double real_rank = std::exp(area);
      const double rank = std::clamp(std::floor(real_rank + 0.5), 1.0, count_);
      if (rank - real_rank <= always_taken_ || area >= std::log(rank + 0.5) - 1 / rank)
        return static_cast<size_t>(rank);
    }
  }

 private:
  double count_;
  double area_low_;
  double area_high_;
  double always_taken_;
};

// Maps ranks (from 1) to articles, so that neither memory nor the order of IDs follows the order of ranks. A regular,
// immutable type.
class RankedArticles {
 public:
  explicit RankedArticles(size_t count) : count_(count) {
    // The step must be coprime to the count, so that no two ranks map to the same article.
    while (std::gcd(step_ % count_, count_) != 1 && count_ > 1) step_ += 2;
  }

  uint32_t Index(size_t rank) const { return static_cast<uint32_t>(rank * step_ % count_); }

 private:
  size_t count_;
  // 2^32 / golden ratio. Its multiples spread evenly over any range (Knuth, "Sorting and Searching", 6.4).
  size_t step_ = 2'654'435'769;
};

// Returns `draws` article indexes below `articles`. The result is always the same.
inline std::vector<uint32_t> ZipfDraws(size_t articles, size_t draws) {
  const ZipfDistribution zipf(articles);
  const RankedArticles ranked(articles);
  std::mt19937_64 random(1);
  std::vector<uint32_t> drawn(draws);
  for (uint32_t& index : drawn) index = ranked.Index(zipf(random));
  return drawn;
}

}  // namespace viewcount
