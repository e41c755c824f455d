#include "client/cli/report_reader.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "client/cli/report_window.h"
#include "client/cli/site_days.h"
#include "client/cli/whole_list.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/time_zone.h"

namespace viewcount::cli {
namespace {

using google::protobuf::util::TimeUtil;

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMillis(TimeUtil::TimestampToMilliseconds(time));
}

void SetRange(const ReportSpan& span, v1::Window& window) {
  auto& range = *window.mutable_range();
  *range.mutable_start() = TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(span.start));
  *range.mutable_end() = TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(span.end));
}

// Makes the calls of one report. Not thread-safe.
class ReportReader {
 public:
  ReportReader(Session& session, const ReportCommand& command, const v1::Site& site)
      : session_(session), command_(command), site_(site) {
    report_.site = site.name();
    report_.zone_name = site.time_zone().empty() ? "UTC" : site.time_zone();
    report_.exact = true;
    report_.as_of = absl::InfiniteFuture();
  }

  absl::StatusOr<Report> Read() {
    auto days = DayZonesOf(site_);
    if (!days.ok()) return days.status();
    report_.days = *std::move(days);
    report_.zone = report_.days.PartAt(std::numeric_limits<int64_t>::max()).zone;
    for (auto read : {&ReportReader::ReadWindow, &ReportReader::ReadSeries, &ReportReader::ReadVisitors,
                      &ReportReader::ReadArticles}) {
      if (auto status = (this->*read)(); !status.ok()) return status;
    }
    return std::move(report_);
  }

 private:
  // Takes note of the age of an answer.
  template <typename Response>
  void NoteAge(const Response& response) {
    report_.exact &= response.exact();
    report_.as_of = std::min(report_.as_of, TimeOf(response.as_of()));
  }

  absl::Status ReadWindow() {
    if (command_.window.empty()) {
      auto span = MonthSpan(command_.month, report_.days, absl::Now());
      if (!span.ok()) return span.status();
      report_.span = *span;
    } else {
      // The service says which time the window is.
      v1::ListPopularRequest request;
      request.set_site(report_.site);
      request.set_page_size(1);
      if (auto status = FillWindow(command_.window, *request.mutable_window()); !status.ok()) return status;
      const auto response = session_.Call(session_.query(), &v1::QueryService::Stub::ListPopular, request);
      if (!response.ok()) return response.status();
      report_.span = {TimeOf(response->span().start()), TimeOf(response->span().end())};
    }
    report_.of_days = IsOfDays(report_.span, report_.days);
    return absl::OkStatus();
  }

  absl::StatusOr<v1::GetSeriesResponse> Series(const ReportSpan& span, v1::SeriesStep step) {
    v1::GetSeriesRequest request;
    request.set_site(report_.site);
    request.set_step(step);
    SetRange(span, *request.mutable_window());
    return session_.Call(session_.query(), &v1::QueryService::Stub::GetSeries, request);
  }

  // Returns the hours of a day or less where they are kept, otherwise the days.
  absl::StatusOr<v1::GetSeriesResponse> BestSeries(const ReportSpan& span) {
    const bool short_span = span.end - span.start < absl::Hours(36);
    if (!report_.of_days || short_span) {
      auto hours = Series(span, v1::SERIES_STEP_HOUR);
      report_.by_hour = hours.ok();
      if (hours.ok() || !report_.of_days || !absl::IsInvalidArgument(hours.status())) return hours;
    }
    return Series(span, v1::SERIES_STEP_DAY);
  }

  absl::Status ReadSeries() {
    const auto series = BestSeries(report_.span);
    if (!series.ok()) return series.status();
    NoteAge(*series);
    for (const auto& point : series->points()) report_.points.push_back({TimeOf(point.start()), point.views()});
    report_.views.now = series->views();
    return absl::OkStatus();
  }

  // Visits and viewers are known for the present day, the day before, and the present week and month only.
  absl::Status ReadVisitors() {
    v1::GetSiteStatsRequest request;
    request.set_site(report_.site);
    const auto stats = session_.Call(session_.query(), &v1::QueryService::Stub::GetSiteStats, request);
    if (!stats.ok()) return stats.status();
    if (!report_.of_days) return absl::OkStatus();
    const absl::CivilDay today = DayOf(TimeOf(stats->as_of()), report_.days);
    const absl::CivilMonth month(today);
    const absl::CivilDay monday = absl::PrevWeekday(today + 1, absl::Weekday::monday);
    const absl::CivilDay start = DayOf(report_.span.start, report_.days);
    const absl::CivilDay end = DayOf(report_.span.end, report_.days);
    const auto is = [&](absl::CivilDay first, absl::CivilDay after) { return start == first && end == after; };
    // A window that has not ended may end on any later day.
    const auto is_since = [&](absl::CivilDay first, absl::CivilDay after) {
      return start == first && end > today && end <= after;
    };
    uint64_t (v1::SiteTotals::*total)() const = nullptr;
    if (is(today, today + 1)) total = &v1::SiteTotals::today;
    if (is(today - 1, today)) total = &v1::SiteTotals::yesterday;
    if (total == nullptr && is_since(monday, monday + 7)) total = &v1::SiteTotals::this_week;
    if (total == nullptr && is_since(absl::CivilDay(month), absl::CivilDay(month + 1))) {
      total = &v1::SiteTotals::this_month;
    }
    if (total == nullptr) return absl::OkStatus();
    NoteAge(*stats);
    report_.visits = (stats->visits().*total)();
    report_.viewers = (stats->viewers().*total)();
    report_.viewers_error = stats->viewers().standard_error();
    return absl::OkStatus();
  }

  // Reads the whole list of a window, which ends with rank limits::kDeepListMax.
  absl::StatusOr<RankedArticles> List(const ReportSpan& span) {
    v1::ListPopularRequest request;
    request.set_site(report_.site);
    SetRange(span, *request.mutable_window());
    request.set_page_size(limits::kPageSizeMax);
    request.set_exact_required(true);
    auto list = ReadWholeList([&](const std::string& page_token) {
      request.set_page_token(page_token);
      return session_.Call(session_.query(), &v1::QueryService::Stub::ListPopular, request);
    });
    if (!list.ok()) return list.status();
    report_.exact &= list->exact;
    report_.as_of = std::min(report_.as_of, list->as_of);
    return std::move(list->articles);
  }

  absl::Status ReadArticles() {
    const auto articles = List(report_.span);
    if (!articles.ok()) return articles.status();
    RankedArticles before;
    if (command_.compare) {
      if (auto status = ReadBefore(before); !status.ok()) return status;
    }
    std::map<std::string_view, const v1::RankedArticle*> before_of;
    for (const auto& article : before) before_of[article.article_id()] = &article;
    report_.listed_articles = static_cast<uint64_t>(articles->size());
    for (const auto& article : *articles) {
      report_.listed_views += article.views();
      if (report_.articles.size() >= command_.top) continue;
      ReportArticle& shown = report_.articles.emplace_back();
      shown = {.rank = static_cast<uint32_t>(report_.articles.size()),
               .id = article.article_id(),
               .title = article.title(),
               .url = article.url(),
               .section = article.sections().empty() ? "" : article.sections(0),
               .views = {.now = article.views()}};
      if (const auto found = before_of.find(article.article_id()); found != before_of.end()) {
        shown.views.before = found->second->views();
        shown.rank_before = found->second->rank();
      }
    }
    SumUp(*articles, before);
    return absl::OkStatus();
  }

  // The report goes without the window before if the service cannot answer it.
  absl::Status ReadBefore(RankedArticles& articles) {
    const ReportSpan span = SpanBefore(report_.span, report_.days);
    const auto series = Series(span, report_.of_days ? v1::SERIES_STEP_DAY : v1::SERIES_STEP_HOUR);
    if (absl::IsInvalidArgument(series.status())) {
      report_.before_problem = ToStd(series.status().message());
      return absl::OkStatus();
    }
    if (!series.ok()) return series.status();
    auto list = List(span);
    if (!list.ok()) return list.status();
    NoteAge(*series);
    report_.before = span;
    report_.views.before = series->views();
    articles = *std::move(list);
    return absl::OkStatus();
  }

  void SumUp(const RankedArticles& articles, const RankedArticles& before) {
    std::map<std::string, ReportNumber> sections, authors;
    const auto add = [&](const RankedArticles& list, auto add_to) {
      for (const auto& article : list) {
        add_to(sections[article.sections().empty() ? "" : article.sections(0)], article.views());
        if (article.authors().empty()) add_to(authors[""], article.views());
        for (const std::string& author : article.authors()) add_to(authors[author], article.views());
      }
    };
    add(articles, [](ReportNumber& number, uint64_t views) { number.now += views; });
    if (report_.before) {
      add(before, [](ReportNumber& number, uint64_t views) { number.before = number.before.value_or(0) + views; });
    }
    report_.sums = {.sections = Top(sections), .authors = Top(authors)};
  }

  std::vector<ReportLabel> Top(const std::map<std::string, ReportNumber>& numbers) const {
    std::vector<ReportLabel> labels;
    for (const auto& [name, number] : numbers) {
      if (number.now == 0) continue;
      labels.push_back({name, number});
      // The sums of one list are compared, so a label that is not in the other has no views there.
      if (report_.before) labels.back().views.before = number.before.value_or(0);
    }
    std::ranges::stable_sort(labels, [](const auto& a, const auto& b) { return a.views.now > b.views.now; });
    if (labels.size() > command_.top) labels.resize(command_.top);
    return labels;
  }

  Session& session_;
  const ReportCommand& command_;
  const v1::Site& site_;
  Report report_;
};

}  // namespace

absl::StatusOr<Report> ReadReport(Session& session, const ReportCommand& command) {
  GlobalOptions options = session.options();
  options.timeout = std::max(options.timeout, kReportTimeoutMin);
  Session patient(options);
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  return ReportReader(patient, command, *site).Read();
}

}  // namespace viewcount::cli
