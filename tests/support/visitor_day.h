// A day of visits to one site. The day's views are completely known, and so are the correct numbers.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace viewcount {

// Immutable after construction. Equal options always give the same day.
class VisitorDay {
 public:
  struct Options {
    uint64_t seed = 1;
    uint32_t viewers = 300'000;
    // Each viewer makes at least one visit and at most 12.
    uint32_t visits = 1'000'000;
    // Articles are drawn by Zipf's law with exponent 1: articles with lower numbers are viewed more often.
    uint32_t articles = 20'000;
    // The begin and the end in Unix milliseconds. The day must be long enough for all visits of one viewer.
    int64_t begin_ms = 0;
    int64_t end_ms = 0;
  };
  struct View {
    int64_t unix_ms = 0;
    uint32_t viewer = 0;
    uint32_t article = 0;
  };

  explicit VisitorDay(Options options);

  // Returns the views in order of time.
  const std::vector<View>& views() const { return views_; }
  // Returns the hash that stands for a viewer. Never 0.
  uint64_t HashOf(uint32_t viewer) const { return hashes_[viewer]; }

  // Return the correct numbers. Visits are counted from the views by the rule that a pause of more than 30 minutes ends
  // a visit.
  uint64_t CountVisits() const;
  uint64_t CountViewers() const;
  // Returns the number of viewers of each article, by article number.
  std::vector<uint64_t> CountViewersByArticle() const;
  // Returns the number of viewers who were seen in the five minutes up to `unix_ms`.
  uint64_t CountOnline(int64_t unix_ms) const;

 private:
  // Adds the views of one viewer's visits.
  void AddVisits(uint32_t viewer, uint32_t visits, std::mt19937_64& random);

  const Options options_;
  std::vector<View> views_;
  std::vector<uint64_t> hashes_;
};

}  // namespace viewcount
