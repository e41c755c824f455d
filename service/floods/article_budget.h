// How many new articles browsers bring to a site, so that random IDs fill neither memory nor Redis.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/sites/site.h"

namespace viewcount {

// Each site may get so many a minute, and limits::kNewArticlesBurst of that at once: what a portal that has just begun
// takes. Which articles are not new it remembers, as far as limits::kKnownArticlesMax goes; of others only the store
// knows, so whoever finds one that is not known here asks there first.
//
// One thread at a time.
class ArticleBudget {
 public:
  // 0: no limit, and every article is known, but for sites that want announced ones only.
  explicit ArticleBudget(uint32_t articles_per_minute, size_t known_max = limits::kKnownArticlesMax);

  // `article_id` as the site resolves it.
  bool Knows(const Site& site, std::string_view article_id);
  // It has been counted, or will be; of a site that wants announced ones only: it is announced.
  void Learn(const Site& site, std::string_view article_id);
  // Whether the site may get one more; takes it from the budget if so.
  bool Take(const Site& site, SteadyTime now);

  // Articles remembered.
  size_t size() const { return young_.size() + old_.size(); }

 private:
  using Hashes = boost::unordered_flat_set<uint64_t>;

  bool Remembers(const Site& site) const { return cost_ns_ != 0 || site.settings.announced_articles_only; }
  uint64_t HashOf(const Site& site, std::string_view article_id) const;

  // Of an article; 0 for no limit.
  const int64_t cost_ns_;
  const size_t known_max_;
  const PrivateHash hash_;
  // Two generations: with the younger one full the older one goes. Who is asked for stays.
  Hashes young_;
  Hashes old_;
  // By the site's index: when its budget will be whole again, in nanoseconds.
  boost::unordered_flat_map<uint32_t, int64_t> whole_at_;
};

}  // namespace viewcount
