#include "service/ratelimit/new_article_limiter.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <tuple>

#include "service/base/check.h"

namespace viewcount {

NewArticleLimiter::NewArticleLimiter(uint32_t articles_per_minute, size_t known_max)
    : rate_(0, {}, {}), lines_(known_max / std::tuple_size_v<decltype(Line::hashes)>) {
  VIEWCOUNT_CHECK(std::has_single_bit(lines_.size()));
  SetRate(articles_per_minute);
}

void NewArticleLimiter::SetRate(uint32_t articles_per_minute) {
  rate_ = GcraLimiter(articles_per_minute, std::chrono::minutes(1), limits::kNewArticlesBurst);
}

uint64_t NewArticleLimiter::HashOf(const Site& site, std::string_view article_id) const {
  // Sites that accept announced articles only use other hashes. An article that was counted before that setting need
  // not be announced.
  const uint64_t hash = hash_.Of(article_id) ^ (site.settings.announced_articles_only ? ~site.seed : site.seed);
  return hash != 0 ? hash : 1;
}

bool NewArticleLimiter::LookUp(const Site& site, std::string_view article_id) {
  if (!Remembers(site)) return true;
  const uint64_t hash = HashOf(site, article_id);
  auto& hashes = LineOf(hash).hashes;
  const auto at = std::ranges::find(hashes, hash);
  if (at == hashes.end()) return false;
  std::rotate(hashes.begin(), at, at + 1);
  return true;
}

void NewArticleLimiter::Learn(const Site& site, std::string_view article_id) {
  if (!Remembers(site)) return;
  if (LookUp(site, article_id)) return;
  const uint64_t hash = HashOf(site, article_id);
  auto& hashes = LineOf(hash).hashes;
  std::rotate(hashes.begin(), hashes.end() - 1, hashes.end());
  hashes.front() = hash;
}

bool NewArticleLimiter::Take(const Site& site, SteadyTime now) {
  return !rate_.limits() || rate_.Take(whole_at_[site.index.value], 1, now);
}

}  // namespace viewcount
