// How many new articles browsers bring to a site, so that random IDs fill neither memory nor Redis.
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
#include "service/floods/rate.h"
#include "service/sites/site.h"

namespace viewcount {

// Each site may get so many a minute, and limits::kNewArticlesBurst of that at once: what a portal that has just begun
// takes. Which articles are not new it remembers, as far as limits::kKnownArticlesMax goes; of others only the store
// knows, so whoever finds one that is not known here asks there first.
//
// One thread at a time.
class ArticleBudget {
 public:
  // 0: no limit, and every article is known, but for sites that want announced ones only. `known_max` is a power of 2
  // from 8 on.
  explicit ArticleBudget(uint32_t articles_per_minute, size_t known_max = limits::kKnownArticlesMax);

  // Sets another rate. What sites have got already counts against it.
  void SetRate(uint32_t articles_per_minute);

  // Fetches what Knows is going to look at.
  void Prefetch(const Site& site, std::string_view article_id) const {
    if (Remembers(site)) __builtin_prefetch(&LineOf(HashOf(site, article_id)), 1);
  }
  // `article_id` as the site resolves it.
  bool Knows(const Site& site, std::string_view article_id);
  // It has been counted, or will be; of a site that wants announced ones only: it is announced.
  void Learn(const Site& site, std::string_view article_id);
  // Whether the site may get one more; takes it from the budget if so.
  bool Take(const Site& site, SteadyTime now);

 private:
  // An article has its place in one line of the processor's cache: who was asked for last stands first, and in a full
  // one the last goes.
  struct alignas(64) Line {
    std::array<uint64_t, 8> hashes{};
  };

  bool Remembers(const Site& site) const { return rate_.limits() || site.settings.announced_articles_only; }
  // Not 0, which is nobody's.
  uint64_t HashOf(const Site& site, std::string_view article_id) const;
  const Line& LineOf(uint64_t hash) const { return lines_[hash & (lines_.size() - 1)]; }
  Line& LineOf(uint64_t hash) { return lines_[hash & (lines_.size() - 1)]; }

  Rate rate_;
  const PrivateHash hash_;
  std::vector<Line> lines_;
  // By the site's index; see Rate::Take.
  boost::unordered_flat_map<uint32_t, int64_t> whole_at_;
};

}  // namespace viewcount
