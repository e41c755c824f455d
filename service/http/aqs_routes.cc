#include "service/http/aqs_routes.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/log.h"
#include "service/base/status.h"
#include "service/http/aqs_limits.h"
#include "service/http/aqs_request.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"
#include "service/query/window.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using google::protobuf::util::TimeUtil;

constexpr std::string_view kPageviews = "/api/rest_v1/metrics/pageviews";

// A part of a span, as QueryApi takes it.
struct AqsPiece {
  int64_t start_unix_ms = 0;
  int64_t end_unix_ms = 0;
};
struct AqsPoint {
  int64_t start_unix_ms = 0;
  uint64_t views = 0;
};

absl::Status NoAqsData(std::string_view why, std::string_view site) {
  return absl::NotFoundError(fmt::format("{}; `viewcount --site {} top` names the articles with views", why, site));
}

v1::SeriesStep AqsStepOf(AqsGranularity granularity) {
  switch (granularity) {
    case AqsGranularity::kHourly:
      return v1::SERIES_STEP_HOUR;
    case AqsGranularity::kMonthly:
      return v1::SERIES_STEP_MONTH;
    case AqsGranularity::kDaily:
      break;
  }
  return v1::SERIES_STEP_DAY;
}

std::string AqsTimeOf(int64_t unix_ms, AqsGranularity granularity, const Site& site) {
  if (granularity == AqsGranularity::kHourly) {
    return absl::FormatTime("%Y%m%d%H", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
  }
  return fmt::format("{}00", DayNumber(DayAt(unix_ms, site)));
}

// Returns the first day, or with kMonthly the first month, of a span that does not begin before 1970 in UTC.
absl::CivilDay FirstAqsDay(const AqsViews& question, const Site& site) {
  absl::CivilDay first(question.start);
  while (StartOf(first, site) < 0) {
    first = question.granularity == AqsGranularity::kMonthly ? absl::CivilDay(absl::CivilMonth(first) + 1) : first + 1;
  }
  return first;
}

// Divides a span into pieces. Leaves out what is in the future.
absl::StatusOr<std::vector<AqsPiece>> AqsPiecesOf(const AqsViews& question, const Site& site, int64_t now_unix_ms) {
  std::vector<AqsPiece> pieces;
  if (question.granularity == AqsGranularity::kHourly) {
    const absl::TimeZone utc = absl::UTCTimeZone();
    const AqsPiece piece{absl::ToUnixMillis(absl::FromCivil(question.start, utc)),
                         absl::ToUnixMillis(absl::FromCivil(question.end, utc))};
    const int64_t first = FirstKeptHour(site.settings, now_unix_ms);
    if (piece.start_unix_ms < first) {
      return absl::NotFoundError(fmt::format("hours are kept since {}; begin there, or ask for daily",
                                             AqsTimeOf(first, question.granularity, site)));
    }
    if (piece.start_unix_ms <= now_unix_ms) pieces.push_back(piece);
    return pieces;
  }
  const absl::CivilDay start(question.start);
  absl::CivilDay end(question.end);
  if (absl::CivilMonth(end) - absl::CivilMonth(start) > kAqsMonthsMax) {
    return InvalidField("start", fmt::format("to end may have {} months", kAqsMonthsMax));
  }
  const auto first = FirstKeptDay(site, now_unix_ms);
  if (first && start < *first) {
    return absl::NotFoundError(fmt::format("days are kept since {}; begin there", absl::FormatCivilTime(*first)));
  }
  for (absl::CivilDay at = FirstAqsDay(question, site); at < end && StartOf(at, site) <= now_unix_ms;) {
    const absl::CivilDay next = std::min(absl::CivilDay(absl::CivilMonth(at) + kAqsMonthsAtOnce), end);
    const AqsPiece piece{StartOf(at, site), StartOf(next, site)};
    // A time zone may have left out a day, as Pacific/Apia did with 2011-12-30.
    if (piece.start_unix_ms < piece.end_unix_ms) pieces.push_back(piece);
    at = next;
  }
  return pieces;
}

HttpResponse AqsAnswer(std::string items, bool exact) {
  HttpResponse response;
  response.set(http::field::content_type, "application/json; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  response.set("Viewcount-Exact", exact ? "true" : "false");
  response.body() = fmt::format("{{\"items\":[{}]}}\n", items);
  return response;
}

// Returns the problem of this service, with the fields that AQS adds.
HttpResponse AqsProblem(const HttpRequest& request, const absl::Status& status) {
  HttpResponse response = Problem(status);
  const std::string_view target(request.target().data(), request.target().size());
  std::string method(request.method_string());
  std::ranges::transform(method, method.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
  response.body().insert(response.body().rfind('}'),
                         fmt::format(R"(,"method":"{}","uri":"{}")", EscapeForJson(method),
                                     EscapeForJson(target.substr(0, kAqsQuotedPathBytesMax))));
  return response;
}

class AqsHandlers {
 public:
  explicit AqsHandlers(const ReaderParts& parts) : parts_(parts) {}

  // `article` is true for the views of an article, and false for those of a project.
  awaitable<absl::StatusOr<HttpResponse>> Views(std::string_view path, bool article) const {
    const auto question = article ? ParseAqsArticle(path) : ParseAqsAggregate(path);
    if (!question.ok()) co_return question.status();
    const auto site = SiteOf(question->project);
    if (!site.ok()) co_return site.status();
    const auto pieces = AqsPiecesOf(*question, **site, parts_.clock.UnixMillis());
    if (!pieces.ok()) co_return pieces.status();
    std::string id = question->article.value_or("");
    auto points = co_await Read(*site, id, AqsStepOf(question->granularity), *pieces);
    if (!points.ok()) co_return points.status();
    if (points->empty() && id.find(' ') != std::string::npos) {
      // AQS names an article with underscores, whichever of both its client sends.
      std::ranges::replace(id, ' ', '_');
      points = co_await Read(*site, id, AqsStepOf(question->granularity), *pieces);
      if (!points.ok()) co_return points.status();
    }
    if (points->empty()) {
      co_return NoAqsData(article ? "the article has no views in this span" : "the project has no views in this span",
                          (*site)->name);
    }
    co_return AqsAnswer(ItemsOf(*question, **site, id, *points), true);
  }

  awaitable<absl::StatusOr<HttpResponse>> Top(std::string_view path) const {
    const auto asked = ParseAqsTop(path);
    if (!asked.ok()) co_return asked.status();
    const auto site = SiteOf(asked->project);
    if (!site.ok()) co_return site.status();
    const absl::CivilDay first = asked->day.value_or(absl::CivilDay(asked->month));
    const absl::CivilDay end = asked->day ? first + 1 : absl::CivilDay(asked->month + 1);
    const int64_t first_ms = StartOf(first, **site), end_ms = StartOf(end, **site);
    const int64_t start_ms = first_ms < 0 ? StartOf(first + 1, **site) : first_ms;
    v1::ListPopularResponse list;
    if (start_ms <= parts_.clock.UnixMillis() && start_ms < end_ms) {
      v1::ListPopularRequest question;
      question.set_site((*site)->name);
      question.set_page_size(kAqsTopMax);
      *question.mutable_window()->mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(start_ms);
      *question.mutable_window()->mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(end_ms);
      const auto status = co_await OnStore(parts_.store, parts_.lists.ListPopular(question, list));
      if (!status.ok()) co_return status;
    }
    if (list.articles().empty()) co_return NoAqsData("no article has views in this span", (*site)->name);
    std::vector<std::string> articles;
    for (const auto& article : list.articles()) {
      articles.push_back(fmt::format(R"({{"article":"{}","views":{},"rank":{}}})", EscapeForJson(article.article_id()),
                                     article.views(), article.rank()));
    }
    const std::string day = asked->day ? fmt::format("{:02}", asked->day->day()) : "all-days";
    std::string item = fmt::format(
        R"({{"project":"{}","access":"{}","year":"{:04}","month":"{:02}","day":"{}","articles":[{}]}})", (*site)->name,
        kAqsAccess, asked->month.year(), asked->month.month(), day, fmt::join(articles, ","));
    co_return AqsAnswer(std::move(item), list.exact());
  }

 private:
  // Returns the site of a project. AQS also takes names with `www.` before and `.org` after them, in any case.
  absl::StatusOr<std::shared_ptr<const Site>> SiteOf(std::string_view project) const {
    if (auto site = parts_.sites.Find(project)) return site;
    std::string name(project);
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
    std::string_view normal = name;
    if (normal.starts_with("www.")) normal.remove_prefix(4);
    if (normal.ends_with(".org")) normal.remove_suffix(4);
    if (auto site = parts_.sites.Find(normal)) return site;
    return parts_.sites.Unknown(project);
  }

  // Returns the times with views. An empty `id` stands for the site.
  awaitable<absl::StatusOr<std::vector<AqsPoint>>> Read(std::shared_ptr<const Site> site, std::string id,
                                                        v1::SeriesStep step, std::vector<AqsPiece> pieces) const {
    std::vector<AqsPoint> points;
    for (const AqsPiece& piece : pieces) {
      v1::GetSeriesRequest question;
      question.set_site(site->name);
      question.set_article_id(id);
      question.set_step(step);
      auto& range = *question.mutable_window()->mutable_range();
      *range.mutable_start() = TimeUtil::MillisecondsToTimestamp(piece.start_unix_ms);
      *range.mutable_end() = TimeUtil::MillisecondsToTimestamp(piece.end_unix_ms);
      v1::GetSeriesResponse series;
      const auto status = co_await OnStore(parts_.store, parts_.queries.GetSeries(question, series));
      if (!status.ok()) co_return status;
      for (const auto& point : series.points()) {
        if (point.views() == 0) continue;
        points.push_back({TimeUtil::TimestampToMilliseconds(point.start()), point.views()});
      }
    }
    co_return points;
  }

  static std::string ItemsOf(const AqsViews& question, const Site& site, std::string_view id,
                             const std::vector<AqsPoint>& points) {
    std::string article;
    if (question.article) article = fmt::format(R"("article":"{}",)", EscapeForJson(id));
    std::vector<std::string> items;
    for (const AqsPoint& point : points) {
      items.push_back(fmt::format(
          R"({{"project":"{}",{}"granularity":"{}","timestamp":"{}","access":"{}","agent":"{}","views":{}}})",
          site.name, article, NameOf(question.granularity), AqsTimeOf(point.start_unix_ms, question.granularity, site),
          kAqsAccess, kAqsAgent, point.views));
    }
    return fmt::format("{}", fmt::join(items, ","));
  }

  const ReaderParts parts_;
};

enum class AqsKind : uint8_t { kArticle, kAggregate, kTop };

void AddOneAqsRoute(HttpRouter& router, const ReaderParts& parts, std::string_view name, AqsKind kind) {
  const std::string base = fmt::format("{}/{}", kPageviews, name);
  router.Add(http::verb::get, base + std::string(HttpRouter::kRest),
             [parts, kind, begin = base.size() + 1,
              handlers = AqsHandlers(parts)](const HttpRequest& request) -> awaitable<HttpResponse> {
               if (auto status = CheckReader(request, parts, "views in the form of AQS"); !status.ok()) {
                 co_return AqsProblem(request, status);
               }
               if (auto status = CheckParameters(request.target(), {}); !status.ok()) {
                 co_return AqsProblem(request, status);
               }
               const auto turn = co_await parts.turns->Take();
               if (!turn.ok()) co_return AqsProblem(request, turn.status());
               std::string_view path(request.target().data(), request.target().size());
               path = path.substr(0, path.find('?')).substr(begin);
               absl::StatusOr<HttpResponse> answer = absl::UnknownError("");
               if (kind == AqsKind::kTop) {
                 answer = co_await handlers.Top(path);
               } else {
                 answer = co_await handlers.Views(path, kind == AqsKind::kArticle);
               }
               if (answer.ok()) co_return *std::move(answer);
               co_return AqsProblem(request, answer.status());
             });
}

}  // namespace

void AddAqsRoutes(HttpRouter& router, const ReaderParts& parts) {
  AddOneAqsRoute(router, parts, "per-article", AqsKind::kArticle);
  AddOneAqsRoute(router, parts, "aggregate", AqsKind::kAggregate);
  AddOneAqsRoute(router, parts, "top", AqsKind::kTop);
}

}  // namespace viewcount
