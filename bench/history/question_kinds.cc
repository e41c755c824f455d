#include "bench/history/question_kinds.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/articles.h"

namespace viewcount::bench {
namespace {

constexpr int64_t kHour = 3'600;
constexpr int64_t kDay = 24 * kHour;
constexpr uint32_t kRows = 100;
// The hours of which any can be the edge of a window, whenever the program runs within the present hour.
constexpr int64_t kHoursKept = 190;
constexpr size_t kCountsOfCall = 1'000;
constexpr size_t kSeriesDays = 30;
constexpr size_t kSeriesHours = 190;
// See history_store.cc.
constexpr const char* kSections[] = {"world", "politics", "business", "sport"};

v1::Window Range(int64_t start, int64_t end) {
  v1::Window window;
  window.mutable_range()->mutable_start()->set_seconds(start);
  window.mutable_range()->mutable_end()->set_seconds(end);
  return window;
}

v1::Window Last(int64_t hours) {
  v1::Window window;
  window.mutable_last()->set_seconds(hours * kHour);
  return window;
}

v1::Window AllTime() {
  v1::Window window;
  window.set_all_time(true);
  return window;
}

// Times of the history.
class Times {
 public:
  Times(const QuestionOptions& options, int64_t now) : days_(static_cast<int64_t>(options.days)), now_(now) {}

  // Counts back from today, which is day 0.
  v1::Window Day(int64_t back) const {
    v1::Window window;
    window.set_day(absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + (now_ / kDay - back)));
    return window;
  }
  // The `length` days that end `back` days before today's end.
  v1::Window Days(int64_t length, int64_t back) const {
    const int64_t end = (now_ / kDay + 1 - back) * kDay;
    return Range(end - length * kDay, end);
  }
  // The `length` hours that end `back` hours before the present hour.
  v1::Window Hours(int64_t length, int64_t back) const {
    const int64_t end = (now_ / kHour - back) * kHour;
    return Range(end - length * kHour, end);
  }
  v1::Window DayOfCall(size_t call) const { return Day(1 + static_cast<int64_t>(call) % (days_ - 1)); }
  v1::Window HoursOfCall(int64_t length, size_t call) const {
    return Hours(length, static_cast<int64_t>(call) % (kHoursKept - length));
  }
  v1::Window MonthOfCall(size_t call) const {
    const int64_t length = std::min<int64_t>(30, days_ / 2);
    return Days(length, static_cast<int64_t>(call) % (days_ - length));
  }
  // Nearly the whole history: all ranges that lack a few days at either end.
  v1::Window YearsOfCall(size_t call) const {
    constexpr int64_t kLacking = 15;
    const int64_t lacking = std::min(kLacking, days_ / 3);
    const auto at = static_cast<int64_t>(call) % (lacking * lacking);
    const int64_t back = at % lacking, late = at / lacking;
    return Days(days_ - back - late, back);
  }
  int64_t days() const { return days_; }
  int64_t now() const { return now_; }

 private:
  const int64_t days_;
  const int64_t now_;
};

template <typename Request, typename Response>
using Method = grpc::Status (v1::QueryService::Stub::*)(grpc::ClientContext*, const Request&, Response*);

template <typename Response>
int RowsOf(const Response& response) {
  if constexpr (requires { response.counts(); }) {
    return response.counts_size();
  } else if constexpr (requires { response.points(); }) {
    return response.points_size();
  } else if constexpr (requires { response.newer(); }) {
    return response.newer_size() + response.earlier_size();
  } else {
    return response.articles_size();
  }
}

template <typename Request, typename Response>
Call CallOf(Method<Request, Response> method, Request request) {
  return [method, request = std::move(request)](v1::QueryService::Stub& stub, grpc::ClientContext& context) {
    Response response;
    Answered answered;
    answered.status = (stub.*method)(&context, request, &response);
    answered.exact = response.exact();
    answered.rows = RowsOf(response);
    return answered;
  };
}

Call PopularCall(const QuestionOptions& options, v1::Window window, uint32_t rows, std::string section = "") {
  v1::ListPopularRequest request;
  request.set_site(options.site);
  *request.mutable_window() = std::move(window);
  request.set_page_size(rows);
  request.set_section(std::move(section));
  return CallOf(&v1::QueryService::Stub::ListPopular, std::move(request));
}

Call CountsCall(const QuestionOptions& options, std::mt19937_64& random) {
  v1::GetCountsRequest request;
  request.set_site(options.site);
  for (size_t i = 0; i < kCountsOfCall; ++i) request.add_article_ids(ArticleId(random() % options.articles));
  return CallOf(&v1::QueryService::Stub::GetCounts, std::move(request));
}

Call SeriesCall(const QuestionOptions& options, v1::Window window, v1::SeriesStep step, std::mt19937_64& random) {
  v1::GetSeriesRequest request;
  request.set_site(options.site);
  request.set_article_id(ArticleId(random() % options.articles));
  *request.mutable_window() = std::move(window);
  request.set_step(step);
  return CallOf(&v1::QueryService::Stub::GetSeries, std::move(request));
}

Call TrendingCall(const QuestionOptions& options, size_t call) {
  v1::ListTrendingRequest request;
  request.set_site(options.site);
  request.set_page_size(kRows);
  // Eight half-lives of six hours, more or less.
  request.mutable_half_life()->set_seconds(6 * kHour);
  *request.mutable_window() = Last(30 + static_cast<int64_t>(call % 36));
  return CallOf(&v1::QueryService::Stub::ListTrending, std::move(request));
}

Call RisingCall(const QuestionOptions& options, size_t call) {
  v1::ListRisingRequest request;
  request.set_site(options.site);
  request.set_page_size(kRows);
  *request.mutable_window() = Last(1 + static_cast<int64_t>(call % 24));
  return CallOf(&v1::QueryService::Stub::ListRising, std::move(request));
}

Call ArticlesCall(const QuestionOptions& options, const Times& times, std::mt19937_64& random) {
  v1::ListArticlesRequest request;
  request.set_site(options.site);
  const auto back = static_cast<int64_t>(random() % static_cast<uint64_t>((times.days() - 1) * kDay));
  request.mutable_time()->set_seconds(times.now() - back);
  request.set_before(10);
  request.set_after(10);
  return CallOf(&v1::QueryService::Stub::ListArticles, std::move(request));
}

}  // namespace

std::vector<QuestionKind> QuestionKinds(const QuestionOptions& options, int64_t now_unix_s) {
  const Times times(options, now_unix_s);
  const auto random = std::make_shared<std::mt19937_64>(options.seed);
  std::vector<QuestionKind> kinds;
  const auto add_lists = [&](const std::string& name, std::function<v1::Window(size_t)> window, bool recurs) {
    kinds.push_back(
        {"popular, " + name, [=](size_t call) { return PopularCall(options, window(call), kRows); }, recurs});
    kinds.push_back(
        {"popular, " + name + ", a section",
         [=](size_t call) { return PopularCall(options, window(call), kRows, kSections[call % std::size(kSections)]); },
         recurs});
  };
  add_lists(
      "all time", [](size_t) { return AllTime(); }, true);
  add_lists(
      "a day", [times](size_t call) { return times.DayOfCall(call); }, false);
  add_lists(
      "1 hour", [times](size_t call) { return times.HoursOfCall(1, call); }, false);
  add_lists(
      "24 hours", [times](size_t call) { return times.HoursOfCall(24, call); }, false);
  add_lists(
      "30 days", [times](size_t call) { return times.MonthOfCall(call); }, false);
  add_lists(
      fmt::format("up to {} days", options.days), [times](size_t call) { return times.YearsOfCall(call); }, false);
  kinds.push_back({"1,000 counts", [=](size_t) { return CountsCall(options, *random); }});
  const auto series_days = static_cast<int64_t>(std::min(kSeriesDays, options.days));
  kinds.push_back({fmt::format("an article, {} days by day", series_days), [=](size_t) {
                     return SeriesCall(options, times.Days(series_days, 0), v1::SERIES_STEP_DAY, *random);
                   }});
  kinds.push_back({fmt::format("an article, {} hours by hour", kSeriesHours),
                   [=](size_t) { return SeriesCall(options, Last(kSeriesHours), v1::SERIES_STEP_HOUR, *random); }});
  kinds.push_back({"trending", [=](size_t call) { return TrendingCall(options, call); }});
  kinds.push_back({"rising", [=](size_t call) { return RisingCall(options, call); }});
  kinds.push_back({"articles by publication", [=](size_t) { return ArticlesCall(options, times, *random); }});
  return kinds;
}

Call WarmUp(const QuestionOptions& options) {
  v1::GetCountsRequest request;
  request.set_site(options.site);
  request.add_article_ids(ArticleId(0));
  return CallOf(&v1::QueryService::Stub::GetCounts, std::move(request));
}

Call RandomList(const QuestionOptions& options, int64_t now_unix_s, std::mt19937_64& random) {
  const Times times(options, now_unix_s);
  const auto below = [&](int64_t end) { return static_cast<int64_t>(random() % static_cast<uint64_t>(end)); };
  const auto rows = static_cast<uint32_t>(1 + below(kRows));
  switch (below(8)) {
    case 0:
      return PopularCall(options, AllTime(), rows);
    case 1:
      return PopularCall(options, times.Day(below(times.days())), rows);
    case 2:
      return PopularCall(options, Last(1 + below(kHoursKept)), rows);
    case 3:
    case 4: {
      const int64_t length = 1 + below(kHoursKept - 1);
      return PopularCall(options, times.Hours(length, below(kHoursKept - length)), rows);
    }
    default: {
      const int64_t length = 1 + below(times.days() - 1);
      return PopularCall(options, times.Days(length, below(times.days() - length)), rows);
    }
  }
}

}  // namespace viewcount::bench
