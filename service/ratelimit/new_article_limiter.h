// Limits the new articles that browsers bring to a site, so that random IDs fill neither memory nor Redis.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/ratelimit/gcra_limiter.h"
#include "service/sites/site.h"

namespace viewcount {

// Each site may get a number of new articles per minute, and limits::kNewArticlesBurst of that rate at once. A new
// portal needs such a burst.
//
// It remembers up to limits::kKnownArticlesMax articles that are not new. Only the store knows about the others, so a
// caller asks the store before it treats an unknown article as new.
//
// Not thread-safe: used by one thread at a time.
class NewArticleLimiter {
 public:
  // Sets the rate. 0 means no limit: then every article counts as known, except on sites that accept announced articles
  // only. `known_max` is a power of 2, at least 8.
  explicit NewArticleLimiter(uint32_t articles_per_minute, size_t known_max = limits::kKnownArticlesMax);

  // Sets another rate. The articles that sites have already got count against it.
  void SetRate(uint32_t articles_per_minute);

  // Loads the memory for the next LookUp of this article into the processor's cache.
  void Prefetch(const Site& site, std::string_view article_id) const {
    if (Remembers(site)) __builtin_prefetch(&LineOf(HashOf(site, article_id)), 1);
  }
  // Returns true if the article is known. `article_id` is the ID as the site resolves it.
  bool LookUp(const Site& site, std::string_view article_id);
  // Remembers an article that was counted or will be. On a site that accepts announced articles only, it remembers that
  // the article is announced.
  void Learn(const Site& site, std::string_view article_id);
  // Returns true if the budget covers one more new article of the site, and then takes it from the budget.
  bool Take(const Site& site, SteadyTime now);

 private:
  // The places in one of which an article is kept: one line of the processor's cache. The article that was requested
  // last is first, and a full line drops its last one.
  struct alignas(64) Line {
    std::array<uint64_t, 8> hashes{};
  };

  bool Remembers(const Site& site) const { return rate_.limits() || site.settings.announced_articles_only; }
  // Returns the hash of an article, never 0, because 0 marks a free place.
  uint64_t HashOf(const Site& site, std::string_view article_id) const;
  const Line& LineOf(uint64_t hash) const { return lines_[hash & (lines_.size() - 1)]; }
  Line& LineOf(uint64_t hash) { return lines_[hash & (lines_.size() - 1)]; }

  GcraLimiter rate_;
  const PrivateHash hash_;
  std::vector<Line> lines_;
  // By the site's index; see GcraLimiter::Take.
  boost::unordered_flat_map<uint32_t, int64_t> whole_at_;
};

}  // namespace viewcount
