// A day of visits to one site, of which everything is known: who viewed what and when.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace viewcount {

// Immutable once made; the same options give the same day.
class VisitorDay {
 public:
  struct Options {
    uint64_t seed = 1;
    uint32_t viewers = 300'000;
    // At least one by each viewer.
    uint32_t visits = 1'000'000;
    // Drawn by Zipf's law with exponent 1: the lower the number the more often.
    uint32_t articles = 20'000;
    // Unix milliseconds. Long enough for all visits of one viewer.
    int64_t begin_ms = 0;
    int64_t end_ms = 0;
  };
  struct View {
    int64_t unix_ms = 0;
    uint32_t viewer = 0;
    uint32_t article = 0;
  };

  explicit VisitorDay(Options options);

  // In order of time.
  const std::vector<View>& views() const { return views_; }
  // The hash that stands for a viewer; never 0.
  uint64_t HashOf(uint32_t viewer) const { return hashes_[viewer]; }

  // The truth. Visits are counted in the views, by the rule: a pause of more than 30 minutes ends one.
  uint64_t CountVisits() const;
  uint64_t CountViewers() const;
  // Of each article.
  std::vector<uint64_t> CountViewersByArticle() const;
  // Seen in the five minutes up to then.
  uint64_t CountOnline(int64_t unix_ms) const;

 private:
  // Adds the views of one viewer's visits.
  void AddVisits(uint32_t viewer, uint32_t visits, std::mt19937_64& random);

  const Options options_;
  std::vector<View> views_;
  std::vector<uint64_t> hashes_;
};

}  // namespace viewcount
