#include "service/http/browser_admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/base/status.h"
#include "service/http/on_store.h"
#include "service/model/article_id.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;

// After this time, a sender at the limit may send at least one more view or article.
constexpr std::chrono::milliseconds kFloodRetryDelay{1'000};

const std::vector<Window> kEver = {{Window::Kind::kAllTime, 0}, {Window::Kind::kBots, 0}};

Refusal Flood(uint32_t views_per_second, uint32_t count) {
  if (const auto burst = views_per_second * limits::kFloodBurst.count(); count > burst) {
    return {RejectReason::kFlood,
            absl::PermissionDeniedError(fmt::format(
                "views: at most {} at once from one address; see --address-views-per-second of viewcountd", burst))};
  }
  return {
      RejectReason::kFlood,
      RetryLater(absl::StatusCode::kResourceExhausted,
                 fmt::format("from one address at most {} views a second count", views_per_second), kFloodRetryDelay)};
}

Refusal TooManyArticles(const Site& site, uint32_t articles_per_minute) {
  return {RejectReason::kNewArticles,
          RetryLater(absl::StatusCode::kResourceExhausted,
                     fmt::format("site {} gets too many new articles from browsers, more than {} a minute", site.name,
                                 articles_per_minute),
                     kFloodRetryDelay)};
}

Refusal NotAnnounced(const Site& site, std::string_view article_id) {
  return {RejectReason::kNotAnnounced,
          absl::PermissionDeniedError(fmt::format(
              "article {} is not announced, and site {} counts no other views from browsers; announce it with: "
              "viewcount --site {} announce {}",
              EscapeForText(article_id), site.name, site.name, EscapeForText(article_id)))};
}

// Returns those of the articles that the store or a lane has counted. Articles of a shard that cannot be read are
// missing from the result. Runs on the store's executor in one piece, so that waiting callers get an answer when the
// store closes.
asio::awaitable<std::vector<std::string_view>> FindCounted(CountReader& counts, std::shared_ptr<const Site> site,
                                                           const std::vector<std::string_view>& ids) {
  std::map<Shard, std::vector<ArticleRef>> questions;
  for (const std::string_view id : ids) {
    const uint64_t hash = ArticleHash(site->seed, id);
    questions[ShardOf(hash)].push_back({id, hash});
  }
  std::vector<std::string_view> found;
  for (const auto& [shard, articles] : questions) {
    const auto read = co_await counts.ReadWindows(*site, shard, kEver, articles);
    if (!read.ok()) continue;
    for (size_t i = 0; i < articles.size(); ++i) {
      const bool counted = std::ranges::any_of(*read, [&](const auto& window) { return window[i] != 0; });
      if (counted) found.push_back(articles[i].id);
    }
  }
  co_return found;
}

}  // namespace

BrowserAdmission::BrowserAdmission(Dependencies parts)
    : parts_(std::move(parts)), addresses_(parts_.views_per_second), articles_(parts_.articles_per_minute) {}

void BrowserAdmission::SetLimits(uint32_t views_per_second, uint32_t articles_per_minute) {
  parts_.views_per_second = views_per_second;
  parts_.articles_per_minute = articles_per_minute;
  addresses_.SetRate(views_per_second);
  articles_.SetRate(articles_per_minute);
}

bool BrowserAdmission::AdmitAtOnce(const Client& client, const Site& site, std::string_view article_id) {
  if (client.trusted_backend) return true;
  // Clients of a proxy that does not name them cannot be distinguished, so they have no budget per address.
  return articles_.LookUp(site, site.Resolve(article_id)) &&
         (!client.known || addresses_.Take(client.address, 1, parts_.clock.Now()));
}

asio::awaitable<std::optional<Refusal>> BrowserAdmission::Admit(const Client& client, std::shared_ptr<const Site> site,
                                                                const v1::RecordViewsRequest& views) {
  if (client.trusted_backend) co_return std::nullopt;
  const auto count = static_cast<uint32_t>(views.views_size());
  if (client.known && !addresses_.Take(client.address, count, parts_.clock.Now())) {
    co_return Flood(parts_.views_per_second, count);
  }
  std::vector<Unknown> unknown;
  for (const v1::View& view : views.views()) {
    const std::string_view id = site->Resolve(view.article_id());
    // Invalid IDs are refused by a later check.
    if (!IsArticleIdFast(id)) continue;
    if (!articles_.LookUp(*site, id)) unknown.push_back({id, view.article_id()});
  }
  if (unknown.empty()) co_return std::nullopt;
  if (site->settings.announced_articles_only) co_return co_await AdmitAnnounced(std::move(site), unknown);
  co_return co_await AdmitUnknown(std::move(site), unknown);
}

asio::awaitable<std::optional<Refusal>> BrowserAdmission::AdmitAnnounced(std::shared_ptr<const Site> site,
                                                                         const std::vector<Unknown>& articles) {
  std::vector<std::string_view> ids;
  for (const Unknown& article : articles) {
    ids.push_back(article.id);
    if (article.asked != article.id) ids.push_back(article.asked);
  }
  auto question = parts_.catalog.FindAnnounced(site, ids);
  const auto announced = co_await OnStore(parts_.store, std::move(question));
  if (!announced.ok()) {
    co_return Refusal{
        RejectReason::kNotAnnounced,
        RetryLater(absl::StatusCode::kUnavailable, ToStd(announced.status().message()), limits::kRetryDelay)};
  }
  for (const Unknown& article : articles) {
    if (!announced->contains(article.id) && !announced->contains(article.asked)) {
      co_return NotAnnounced(*site, article.id);
    }
    articles_.Learn(*site, article.id);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<Refusal>> BrowserAdmission::AdmitUnknown(std::shared_ptr<const Site> site,
                                                                       const std::vector<Unknown>& articles) {
  if (asking_ < kQuestionsMax) {
    ++asking_;
    std::vector<std::string_view> ids;
    for (const Unknown& article : articles) ids.push_back(article.id);
    auto question = FindCounted(parts_.counts, site, ids);
    const auto counted = co_await OnStore(parts_.store, std::move(question));
    --asking_;
    for (const std::string_view id : counted) articles_.Learn(*site, id);
  }
  for (const Unknown& article : articles) {
    // An article may occur twice.
    if (articles_.LookUp(*site, article.id)) continue;
    if (!articles_.Take(*site, parts_.clock.Now())) co_return TooManyArticles(*site, parts_.articles_per_minute);
    articles_.Learn(*site, article.id);
  }
  co_return std::nullopt;
}

}  // namespace viewcount
