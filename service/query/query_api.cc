#include "service/query/query_api.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/query/asked_articles.h"
#include "service/query/series_plan.h"
#include "service/query/window.h"
#include "service/store/viewer_set.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

absl::Status CheckNumber(size_t articles) {
  if (articles > 0 && articles <= limits::kGetCountsArticlesMax) return absl::OkStatus();
  return InvalidField("article_ids", fmt::format("must be 1 to {}, not {}", limits::kGetCountsArticlesMax, articles));
}

bool HasAddresses(const v1::GetCountsRequest& request) {
  return !request.addresses().empty() || !request.canonical_addresses().empty();
}

absl::Status CheckIds(const v1::GetCountsRequest& request) {
  const size_t count = request.article_ids_size();
  if (auto status = CheckNumber(count); !status.ok()) return status;
  for (size_t i = 0; i < count; ++i) {
    if (!IsArticleId(request.article_ids(static_cast<int>(i)))) {
      return InvalidField(fmt::format("article_ids[{}]", i), kArticleIdRule);
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> IdsOf(const v1::GetCountsRequest& request) {
  return {request.article_ids().begin(), request.article_ids().end()};
}

void Fill(const v1::GetCountsRequest& request, const Counts& counts, v1::GetCountsResponse& response) {
  for (int i = 0; i < request.article_ids_size(); ++i) {
    auto* count = response.add_counts();
    count->set_article_id(request.article_ids(i));
    count->set_views(counts.totals[i].views);
    count->set_viewers(counts.totals[i].viewers);
    count->set_bot_views(counts.totals[i].bot_views);
  }
  response.set_exact(counts.exact);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(counts.as_of_unix_ms);
}

void Fill(const SiteStats::Totals& totals, v1::SiteTotals& message) {
  message.set_total(totals.total);
  message.set_today(totals.today);
  message.set_yesterday(totals.yesterday);
  message.set_this_week(totals.this_week);
  message.set_this_month(totals.this_month);
}

// Returns the article that a request names, or an empty text if it names none.
absl::StatusOr<std::string> ArticleOf(const Site& site, const v1::GetSeriesRequest& request) {
  const bool canonical = !request.canonical_address().empty();
  const std::string& address = canonical ? request.canonical_address() : request.address();
  if (address.empty()) {
    if (request.article_id().empty() || IsArticleId(request.article_id())) return request.article_id();
    return InvalidField("article_id", kArticleIdRule);
  }
  const std::string_view field = canonical ? "canonical_address" : "address";
  if (!request.article_id().empty() || (canonical && !request.address().empty())) {
    return InvalidField(field, "must be the only one of article_id, address and canonical_address");
  }
  auto named = site.rule.Name(address, canonical ? AddressKind::kCanonical : AddressKind::kRequested);
  if (!named.ok()) return InvalidField(field, ToStd(named.status().message()));
  return std::move(named->article_id);
}

// A page token names its list and the first rank of the next page.
std::string ListNameOf(const Site& site, Window window) {
  return fmt::format("{:016x}",
                     Hash64(fmt::format("{}:{}:{}", site.name, static_cast<int>(window.kind), window.number)));
}

std::optional<size_t> OffsetOf(std::string_view token, std::string_view list) {
  if (token.empty()) return 0;
  if (token.size() <= list.size() || !token.starts_with(list) || token[list.size()] != '-') return std::nullopt;
  token.remove_prefix(list.size() + 1);
  size_t offset = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), offset);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return offset;
}

}  // namespace

// Counts of articles that are asked for by address.
struct QueryApi::AddressedCounts {
  AskedArticles asked;
  // The question by article IDs alone.
  v1::GetCountsRequest by_id;
};

absl::StatusOr<QueryApi::AddressedCounts> QueryApi::AddressedCountsOf(const v1::GetCountsRequest& request) const {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) return parts_.sites.Unknown(request.site());
  const size_t count = request.article_ids_size() + request.addresses_size() + request.canonical_addresses_size();
  if (auto status = CheckNumber(count); !status.ok()) return status;
  AddressedCounts question{.asked = AskedArticles(*site, request), .by_id = {}};
  question.by_id.set_site(request.site());
  for (const std::string& id : question.asked.ids()) question.by_id.add_article_ids(id);
  return question;
}

std::optional<absl::Status> QueryApi::GetCountsCached(const v1::GetCountsRequest& request,
                                                      v1::GetCountsResponse& response) {
  if (HasAddresses(request)) {
    const auto question = AddressedCountsOf(request);
    if (!question.ok()) return question.status();
    response.set_exact(true);
    std::optional<absl::Status> status = absl::OkStatus();
    if (!question->asked.ids().empty()) status = GetCountsCached(question->by_id, response);
    if (status == absl::OkStatus()) question->asked.Complete(response);
    return status;
  }
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) return parts_.sites.Unknown(request.site());
  if (auto status = CheckIds(request); !status.ok()) return status;
  const std::vector<std::string_view> ids(request.article_ids().begin(), request.article_ids().end());
  const auto cached = parts_.counts.ReadCached(site, ids);
  if (!cached) return std::nullopt;
  Fill(request, *cached, response);
  return absl::OkStatus();
}

asio::awaitable<absl::Status> QueryApi::GetCounts(const v1::GetCountsRequest& request,
                                                  v1::GetCountsResponse& response) {
  if (auto answered = GetCountsCached(request, response)) co_return *answered;
  if (HasAddresses(request)) {
    const auto question = AddressedCountsOf(request);
    if (!question.ok()) co_return question.status();
    const absl::Status status = co_await GetCounts(question->by_id, response);
    if (status.ok()) question->asked.Complete(response);
    co_return status;
  }
  const std::vector<std::string> ids = IdsOf(request);
  const auto counts = co_await parts_.counts.ReadMissing(parts_.sites.Find(request.site()), ids);
  if (!counts.ok()) co_return counts.status();
  Fill(request, *counts, response);
  co_return absl::OkStatus();
}

absl::StatusOr<QueryApi::PopularQuestion> QueryApi::QuestionOf(const v1::ListPopularRequest& request) const {
  PopularQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) return parts_.sites.Unknown(request.site());
  const auto window = WindowOf(request.window(), *question.site, parts_.clock.UnixMillis());
  if (!window.ok()) return window.status();
  question.window = *window;
  if (!request.section().empty()) return NotBuiltYet("a list of one section");
  if (request.page_size() > limits::kPageSizeMax) {
    return InvalidField("page_size",
                        fmt::format("must be 1 to {}, or 0 for {}", limits::kPageSizeMax, limits::kPageSizeDefault));
  }
  if (request.page_size() > 0) question.page_size = request.page_size();
  question.list_name = ListNameOf(*question.site, *window);
  const auto offset = OffsetOf(request.page_token(), question.list_name);
  if (!offset) return InvalidField("page_token", "is not one of this site and window");
  question.offset = *offset;
  return question;
}

std::optional<absl::Status> QueryApi::ListPopularCached(const v1::ListPopularRequest& request,
                                                        v1::ListPopularResponse& response) {
  const auto question = QuestionOf(request);
  if (!question.ok()) return question.status();
  const auto list = parts_.popular.ReadCached(*question->site, question->window);
  if (!list) return std::nullopt;
  FillPage(*question, *list, response);
  return absl::OkStatus();
}

asio::awaitable<absl::Status> QueryApi::ListPopular(const v1::ListPopularRequest& request,
                                                    v1::ListPopularResponse& response) {
  if (auto answered = ListPopularCached(request, response)) co_return *answered;
  const auto question = QuestionOf(request);
  if (!question.ok()) co_return question.status();
  const auto list = co_await parts_.popular.Read(question->site, question->window);
  if (!list.ok()) co_return list.status();
  FillPage(*question, *list, response);
  co_return absl::OkStatus();
}

void QueryApi::FillPage(const PopularQuestion& question, const PopularList& list, v1::ListPopularResponse& response) {
  const size_t end = std::min(question.offset + question.page_size, list.articles.size());
  for (size_t i = question.offset; i < end; ++i) {
    auto* article = response.add_articles();
    article->set_article_id(list.articles[i].article_id);
    article->set_views(list.articles[i].views);
    article->set_rank(static_cast<uint32_t>(i + 1));
  }
  response.set_exact(list.exact);
  response.set_error_bound(list.error_bound);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list.as_of_unix_ms);
  if (end < list.articles.size()) response.set_next_page_token(fmt::format("{}-{}", question.list_name, end));
}

asio::awaitable<absl::Status> QueryApi::GetSiteStats(const v1::GetSiteStatsRequest& request,
                                                     v1::GetSiteStatsResponse& response) {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto stats = co_await parts_.stats.Read(site);
  if (!stats.ok()) co_return stats.status();
  Fill(stats->views, *response.mutable_views());
  Fill(stats->visits, *response.mutable_visits());
  Fill(stats->viewers, *response.mutable_viewers());
  response.mutable_viewers()->set_estimated(true);
  response.mutable_viewers()->set_standard_error(kViewersStandardError);
  response.set_online_now(stats->online_now);
  response.set_online_now_standard_error(kViewersStandardError);
  response.set_exact(stats->exact);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(stats->as_of_unix_ms);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::vector<int64_t>>> QueryApi::ReadSeries(std::shared_ptr<const Site> site,
                                                                           std::string id,
                                                                           std::vector<Window> windows) const {
  if (id.empty()) {
    auto totals = co_await parts_.totals.Read(std::move(site), std::move(windows));
    if (!totals.ok()) co_return totals.status();
    co_return std::move(totals->views);
  }
  const uint64_t hash = ArticleHash(site->seed, id);
  const std::vector<ArticleRef> articles = {{id, hash}};
  const auto read = co_await parts_.counts.ReadWindows(*site, ShardOf(hash), windows, articles);
  if (!read.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(read.status().message()), limits::kRetryDelay);
  }
  std::vector<int64_t> views;
  for (const auto& window : *read) views.push_back(window.front());
  co_return views;
}

asio::awaitable<absl::Status> QueryApi::GetSeries(const v1::GetSeriesRequest& request,
                                                  v1::GetSeriesResponse& response) {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto id = ArticleOf(*site, request);
  if (!id.ok()) co_return id.status();
  const int64_t now = parts_.clock.UnixMillis();
  const auto plan = PlanSeries(request, *site, now);
  if (!plan.ok()) co_return plan.status();
  std::vector<int64_t> views;
  if (!plan->windows.empty()) {
    std::string counted(site->Resolve(*id));
    std::vector<Window> windows = plan->windows;
    auto read = co_await ReadSeries(site, std::move(counted), std::move(windows));
    if (!read.ok()) co_return read.status();
    views = *std::move(read);
  }
  size_t at = 0;
  uint64_t sum = 0;
  for (const SeriesPlan::Point& planned : plan->points) {
    int64_t of_point = 0;
    for (size_t i = 0; i < planned.windows; ++i) of_point += views[at++];
    auto* point = response.add_points();
    *point->mutable_start() = TimeUtil::MillisecondsToTimestamp(planned.start_unix_ms);
    point->set_views(ShownCount(of_point));
    sum += point->views();
  }
  response.set_exact(true);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(now);
  response.set_article_id(*id);
  response.set_views(sum);
  co_return absl::OkStatus();
}

}  // namespace viewcount
