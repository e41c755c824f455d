#include "service/http/page_announcements.h"

#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/http/on_store.h"

namespace viewcount {

namespace asio = boost::asio;

bool PageAnnouncements::MayBeWanted(const Site& site, std::string_view id) const {
  if (!site.settings.page_announcements) return false;
  const auto found = asked_.find(ArticleHash(site.seed, id));
  return found == asked_.end() || found->second.again_at <= clock_.Now();
}

PageAnnouncements::Asked& PageAnnouncements::Find(const Site& site, std::string_view id) {
  const uint64_t hash = ArticleHash(site.seed, id);
  if (asked_.size() >= kAskedPagesMax && !asked_.contains(hash)) asked_.clear();
  return asked_[hash];
}

asio::awaitable<bool> PageAnnouncements::IsWanted(std::shared_ptr<const Site> site, std::string id) {
  if (!MayBeWanted(*site, id)) co_return false;
  // Views that come meanwhile do not ask.
  Find(*site, id).again_at = clock_.Now() + kAskAgainAfter;
  std::vector<std::string_view> ids = {id};
  auto question = catalog_.ReadDetails(site, std::move(ids));
  const ArticleCatalog::Details details = co_await OnStore(store_, std::move(question));
  if (!details.complete) co_return false;
  if (!IsAnnouncedByPortal(details.articles.front())) co_return true;
  Find(*site, id).again_at = clock_.Now() + kAnnouncedAgainAfter;
  co_return false;
}

asio::awaitable<absl::StatusOr<bool>> PageAnnouncements::Take(std::shared_ptr<const Site> site, v1::Article article) {
  const std::string id = article.article_id();
  const SteadyTime now = clock_.Now();
  if (Find(*site, id).closed_until > now) co_return false;
  // Another announcement that comes meanwhile is not stored.
  Find(*site, id).closed_until = now + kAnnouncementPause;
  auto question = catalog_.PutFromPage(site, std::move(article));
  const absl::StatusOr<bool> stored = co_await OnStore(store_, std::move(question));
  Asked& asked = Find(*site, id);
  if (stored.ok()) {
    asked.again_at = now + kAnnouncedAgainAfter;
  } else {
    asked.closed_until = now;
  }
  co_return stored;
}

}  // namespace viewcount
