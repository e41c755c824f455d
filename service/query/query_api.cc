#include "service/query/query_api.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/query/asked_articles.h"
#include "service/query/kept_windows.h"
#include "service/query/list_question.h"
#include "service/query/series_plan.h"
#include "service/query/window.h"
#include "service/sites/retention.h"
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

// Returns the label of a request, if there is one. INVALID_ARGUMENT names its field.
absl::StatusOr<std::optional<ArticleLabel>> LabelOf(const v1::GetSeriesRequest& request, bool has_article) {
  struct Field {
    const char* name;
    ArticleLabel::Kind kind;
    const std::string& text;
  };
  std::optional<ArticleLabel> label;
  for (const Field& field : {Field{"section", ArticleLabel::Kind::kSection, request.section()},
                             Field{"author", ArticleLabel::Kind::kAuthor, request.author()},
                             Field{"tag", ArticleLabel::Kind::kTag, request.tag()}}) {
    if (field.text.empty()) continue;
    if (label || has_article) {
      return InvalidField(field.name, "must not be set beside an article, an address, or another label");
    }
    if (auto status = CheckLabel(field.name, field.text); !status.ok()) return status;
    label = ArticleLabel{field.kind, field.text};
  }
  return label;
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

asio::awaitable<absl::Status> QueryApi::ReadPoints(std::shared_ptr<const Site> site, SeriesSubject subject,
                                                   const SeriesPlan& plan, Points& points) {
  std::vector<Window> windows = plan.windows;
  const auto views = co_await series_.Read(std::move(site), std::move(subject), std::move(windows));
  if (!views.ok()) co_return views.status();
  size_t at = 0;
  for (const SeriesPlan::Point& planned : plan.points) {
    int64_t of_point = 0;
    for (size_t i = 0; i < planned.windows; ++i) of_point += (*views)[at++];
    v1::SeriesPoint& point = *points.Add();
    *point.mutable_start() = TimeUtil::MillisecondsToTimestamp(planned.start_unix_ms);
    point.set_views(ShownCount(of_point));
    if (planned.day) point.set_day(absl::FormatCivilTime(*planned.day));
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> QueryApi::GetSeries(const v1::GetSeriesRequest& request,
                                                  v1::GetSeriesResponse& response) {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto id = ArticleOf(*site, request);
  if (!id.ok()) co_return id.status();
  auto label = LabelOf(request, !id->empty());
  if (!label.ok()) co_return label.status();
  const SeriesSubject subject{.article_id = std::string(site->Resolve(*id)), .label = *std::move(label)};
  const int64_t now = parts_.clock.UnixMillis();
  const auto plan = PlanSeries(request, *site, now);
  if (!plan.ok()) co_return plan.status();
  // Everything is planned before anything is read.
  absl::StatusOr<SeriesPlan> before = SeriesPlan(), year_before = SeriesPlan();
  if (request.with_before()) before = PlanPointsBefore(request, *plan, *site, now);
  if (request.with_year_before()) year_before = PlanYearBefore(request, *plan, *site, now);
  struct Wanted {
    const absl::StatusOr<SeriesPlan>& plan;
    Points& points;
  };
  const std::vector<Wanted> all = {{plan, *response.mutable_points()},
                                   {before, *response.mutable_before()},
                                   {year_before, *response.mutable_year_before()}};
  for (const Wanted& wanted : all) {
    if (!wanted.plan.ok()) co_return wanted.plan.status();
  }
  for (const Wanted& wanted : all) {
    SeriesSubject of = subject;
    const absl::Status read = co_await ReadPoints(site, std::move(of), *wanted.plan, wanted.points);
    if (!read.ok()) co_return read;
  }
  uint64_t sum = 0;
  for (const v1::SeriesPoint& point : response.points()) sum += point.views();
  // The oldest hour or day may have been removed meanwhile.
  const int64_t read_at = parts_.clock.UnixMillis();
  bool kept = true;
  for (const Wanted& wanted : all) kept = kept && AreKept(wanted.plan->windows, parts_.sites, *site, read_at);
  response.set_exact(kept);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(now);
  response.set_article_id(*id);
  response.set_views(sum);
  co_return absl::OkStatus();
}

}  // namespace viewcount
