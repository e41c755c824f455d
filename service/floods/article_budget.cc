#include "service/floods/article_budget.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace viewcount {
namespace {

using std::chrono::nanoseconds;

}  // namespace

ArticleBudget::ArticleBudget(uint32_t articles_per_minute, size_t known_max)
    : cost_ns_(articles_per_minute == 0 ? 0 : nanoseconds(std::chrono::minutes(1)).count() / articles_per_minute),
      known_max_(known_max) {}

uint64_t ArticleBudget::HashOf(const Site& site, std::string_view article_id) const {
  // What was counted before the site wanted announced ones only need not be announced.
  return hash_.Of(article_id) ^ (site.settings.announced_articles_only ? ~site.seed : site.seed);
}

bool ArticleBudget::Knows(const Site& site, std::string_view article_id) {
  if (!Remembers(site)) return true;
  const uint64_t hash = HashOf(site, article_id);
  if (young_.contains(hash)) return true;
  if (!old_.contains(hash)) return false;
  Learn(site, article_id);
  return true;
}

void ArticleBudget::Learn(const Site& site, std::string_view article_id) {
  if (!Remembers(site)) return;
  if (young_.size() >= known_max_ / 2) old_ = std::exchange(young_, Hashes());
  young_.insert(HashOf(site, article_id));
}

bool ArticleBudget::Take(const Site& site, SteadyTime now) {
  if (cost_ns_ == 0) return true;
  const int64_t now_ns = nanoseconds(now.time_since_epoch()).count();
  int64_t& whole_at = whole_at_[site.index.value];
  const int64_t after = std::max(whole_at, now_ns) + cost_ns_;
  if (after - now_ns > nanoseconds(limits::kNewArticlesBurst).count()) return false;
  whole_at = after;
  return true;
}

}  // namespace viewcount
