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

// Returns the longest list of the same windows.
PopularReader::Question Deep(PopularReader::Question list) {
  list.places = limits::kDeepListMax;
  return list;
}

absl::Status NoDetails() {
  return RetryLater(absl::StatusCode::kUnavailable, "what was announced about the articles cannot be read",
                    limits::kRetryDelay);
}

// A page token names its list and the first rank of the next page.
std::string ListNameOf(const v1::ListPopularRequest& request, const std::vector<Window>& windows,
                       const ListFilter& filter) {
  std::string text = request.site();
  // The list of the last hours stays the same one when an hour ends.
  if (request.window().has_last()) {
    text += fmt::format(":last:{}", request.window().last().seconds());
  } else {
    for (const Window window : windows) text += fmt::format(":{}:{}", static_cast<int>(window.kind), window.number);
  }
  for (const std::string* label : {&filter.section, &filter.author, &filter.tag, &filter.language}) {
    text += fmt::format(":{}:{}", label->size(), *label);
  }
  return fmt::format("{:016x}", Hash64(text + fmt::format(":{}", request.published_within().seconds())));
}

// Returns the window before another one, which is as long.
v1::Window WindowBefore(const v1::Window& window, const TimeSpan& span, const Site& site) {
  v1::Window before;
  if (window.has_day()) {
    before.set_day(absl::FormatCivilTime(DayAt(span.start_unix_ms, site) - 1));
    return before;
  }
  int64_t start = span.start_unix_ms - (span.end_unix_ms - span.start_unix_ms);
  const absl::CivilDay first = DayAt(span.start_unix_ms, site), end = DayAt(span.end_unix_ms, site);
  // Days are not equally long where clocks change.
  const bool days = StartOf(first, site) == span.start_unix_ms && StartOf(end, site) == span.end_unix_ms;
  if (days) start = StartOf(first - (end - first), site);
  *before.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(std::max<int64_t>(0, start));
  *before.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(span.start_unix_ms);
  return before;
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

absl::StatusOr<ListFilter> QueryApi::FilterOf(const v1::ListPopularRequest& request) const {
  ListFilter filter{
      .section = request.section(), .author = request.author(), .tag = request.tag(), .language = request.language()};
  const std::pair<const char*, const std::string*> labels[] = {
      {"section", &filter.section}, {"author", &filter.author}, {"tag", &filter.tag}, {"language", &filter.language}};
  for (const auto& [field, label] : labels) {
    if (label->size() <= limits::kArticleLabelBytesMax) continue;
    return InvalidField(field, fmt::format("must be at most {} bytes", limits::kArticleLabelBytesMax));
  }
  if (request.has_published_within()) {
    const auto& within = request.published_within();
    const int64_t now = parts_.clock.UnixMillis();
    if (within.seconds() < 0 || within.nanos() < 0 || within.seconds() > now / 1'000) {
      return InvalidField("published_within", "must be 0 to 50 years");
    }
    filter.published_since = now - TimeUtil::DurationToMilliseconds(within);
  }
  return filter;
}

absl::StatusOr<QueryApi::PopularQuestion> QueryApi::QuestionOf(const v1::ListPopularRequest& request) const {
  PopularQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) return parts_.sites.Unknown(request.site());
  const int64_t now = parts_.clock.UnixMillis();
  auto asked = WindowsOf(request.window(), *question.site, now);
  if (!asked.ok()) return asked.status();
  question.list.windows = std::move(asked->windows);
  question.span = asked->span;
  auto filter = FilterOf(request);
  if (!filter.ok()) return filter.status();
  question.filter = *std::move(filter);
  if (request.page_size() > limits::kPageSizeMax) {
    return InvalidField("page_size",
                        fmt::format("must be 1 to {}, or 0 for {}", limits::kPageSizeMax, limits::kPageSizeDefault));
  }
  question.exact_required = request.exact_required();
  question.list_name = ListNameOf(request, question.list.windows, question.filter);
  const auto offset = OffsetOf(request.page_token(), question.list_name);
  if (!offset || *offset > limits::kDeepListMax) {
    return InvalidField("page_token", "is not one of this site, window and restriction");
  }
  question.begin = *offset;
  question.end = *offset + (request.page_size() > 0 ? request.page_size() : limits::kPageSizeDefault);
  const bool deep = !question.filter.empty() || question.end > limits::kRankedAllTimeAndDay;
  if (deep) question.list.places = limits::kDeepListMax;
  if (request.with_previous_rank() && question.span.end_unix_ms > 0) {
    auto before = WindowsOf(WindowBefore(request.window(), question.span, *question.site), *question.site, now);
    if (before.ok()) question.before = {.windows = std::move(before->windows), .places = question.list.places};
  }
  return question;
}

std::optional<ShownList> QueryApi::ShowCached(const PopularQuestion& question,
                                              const PopularReader::Question& asked) const {
  auto list = parts_.popular.ReadCached(*question.site, asked);
  if (!list) return std::nullopt;
  auto details = parts_.catalog.FindDetails(*question.site, IdsOf(*list));
  if (!details) return std::nullopt;
  return ShownList(*std::move(list), asked.places, *std::move(details), question.filter);
}

asio::awaitable<absl::StatusOr<ShownList>> QueryApi::Show(const PopularQuestion& question,
                                                          const PopularReader::Question& asked) const {
  auto list = co_await parts_.popular.Read(question.site, asked);
  if (!list.ok()) co_return list.status();
  auto ids = IdsOf(*list);
  auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete && !question.filter.empty()) co_return NoDetails();
  // It may have hidden articles.
  if (!details.complete) list->exact = list->current = false;
  co_return ShownList(*std::move(list), asked.places, std::move(details.articles), question.filter);
}

std::optional<absl::Status> QueryApi::ListPopularCached(const v1::ListPopularRequest& request,
                                                        v1::ListPopularResponse& response) {
  const auto question = QuestionOf(request);
  if (!question.ok()) return question.status();
  auto list = ShowCached(*question, question->list);
  if (list && list->NeedsMore(question->end)) list = ShowCached(*question, Deep(question->list));
  if (!list || (question->exact_required && !list->IsProven(question->begin, question->end))) return std::nullopt;
  std::optional<ShownList> before;
  if (question->before) {
    before = ShowCached(*question, *question->before);
    if (!before) return std::nullopt;
  }
  FillPage(*question, *list, before ? &*before : nullptr, response);
  return absl::OkStatus();
}

asio::awaitable<absl::Status> QueryApi::ListPopular(const v1::ListPopularRequest& request,
                                                    v1::ListPopularResponse& response) {
  if (auto answered = ListPopularCached(request, response)) co_return *answered;
  const auto question = QuestionOf(request);
  if (!question.ok()) co_return question.status();
  auto list = co_await Show(*question, question->list);
  if (!list.ok()) co_return list.status();
  if (list->NeedsMore(question->end) && question->list.places < limits::kDeepListMax) {
    list = co_await Show(*question, Deep(question->list));
    if (!list.ok()) co_return list.status();
  }
  if (question->exact_required && !list->IsProven(question->begin, question->end)) {
    list = co_await ScanPopular(*question);
    if (!list.ok()) co_return list.status();
  }
  std::optional<ShownList> before;
  if (question->before) {
    auto shown = co_await Show(*question, *question->before);
    // The ranks of the window before are left out if they cannot be read.
    if (shown.ok()) before = *std::move(shown);
  }
  FillPage(*question, *list, before ? &*before : nullptr, response);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ShownList>> QueryApi::ScanPopular(const PopularQuestion& question) const {
  const auto begun = co_await parts_.exporter.Begin(question.site, question.list.windows);
  if (!begun.ok()) co_return begun.status();
  const size_t places = std::max(question.end, question.list.places);
  PopularList list;
  list.as_of_unix_ms = parts_.clock.UnixMillis();
  while (true) {
    auto piece = co_await (*begun)->Next();
    if (!piece.ok()) co_return piece.status();
    if (!*piece) break;
    std::vector<std::string_view> ids((*piece)->ids.begin(), (*piece)->ids.end());
    const auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
    if (!details.complete) co_return NoDetails();
    for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
      const uint64_t views = (*piece)->totals[i].views;
      if (views > 0 && question.filter.Shows(details.articles[i].get())) {
        list.articles.push_back({std::move((*piece)->ids[i]), views});
      }
    }
    std::sort(list.articles.begin(), list.articles.end(), ComesBefore);
    if (list.articles.size() > places) list.articles.resize(places);
  }
  auto ids = IdsOf(list);
  auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete) co_return NoDetails();
  // However long it is, it lacks nothing that the question asks for.
  co_return ShownList(std::move(list), places + 1, std::move(details.articles), question.filter);
}

void QueryApi::FillPage(const PopularQuestion& question, const ShownList& list, const ShownList* before,
                        v1::ListPopularResponse& response) {
  std::map<std::string_view, uint32_t> ranks;
  for (size_t place = 0; before != nullptr && place < before->size() && place < limits::kRankedAllTimeAndDay; ++place) {
    if (!before->IsProven(0, place + 1)) break;
    ranks[before->id(place)] = static_cast<uint32_t>(place + 1);
  }
  for (size_t place = question.begin; place < std::min(question.end, list.size()); ++place) {
    v1::RankedArticle& article = *response.add_articles();
    list.Fill(place, article);
    const auto rank = ranks.find(list.id(place));
    if (rank != ranks.end()) article.set_previous_rank(rank->second);
  }
  const bool proven = list.IsProven(question.begin, question.end);
  response.set_exact(proven);
  if (!proven) response.set_error_bound(list.error_bound());
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list.as_of_unix_ms());
  if (question.span.end_unix_ms > 0) {
    *response.mutable_span()->mutable_start() = TimeUtil::MillisecondsToTimestamp(question.span.start_unix_ms);
    *response.mutable_span()->mutable_end() = TimeUtil::MillisecondsToTimestamp(question.span.end_unix_ms);
  }
  if (question.end < list.size()) response.set_next_page_token(fmt::format("{}-{}", question.list_name, question.end));
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
