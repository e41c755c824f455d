#include "service/query/series_plan.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/window.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace {

constexpr int64_t kHourMs = 3'600'000;
// A whole number of weeks.
constexpr int64_t kDaysOfYearBefore = 364;
// The part of civil time in which points of a step begin.
absl::CivilDay BeginOf(v1::SeriesStep step, absl::CivilDay day) {
  switch (step) {
    case v1::SERIES_STEP_WEEK:
      return absl::PrevWeekday(day + 1, absl::Weekday::monday);
    case v1::SERIES_STEP_MONTH:
      return absl::CivilDay(absl::CivilMonth(day));
    default:
      return day;
  }
}

absl::CivilDay EndOf(v1::SeriesStep step, absl::CivilDay begin) {
  switch (step) {
    case v1::SERIES_STEP_WEEK:
      return begin + 7;
    case v1::SERIES_STEP_MONTH:
      return absl::CivilDay(absl::CivilMonth(begin) + 1);
    default:
      return begin + 1;
  }
}

std::string_view NameOf(v1::SeriesStep step) {
  switch (step) {
    case v1::SERIES_STEP_HOUR:
      return "hour";
    case v1::SERIES_STEP_WEEK:
      return "week, which begins on Monday,";
    case v1::SERIES_STEP_MONTH:
      return "month";
    default:
      return "day";
  }
}

// Returns INVALID_ARGUMENT with the first hour that is kept if `start_unix_ms` lies before it.
absl::Status CheckHours(std::string_view field, int64_t start_unix_ms, const Site& site, int64_t now_unix_ms) {
  const int64_t first = FirstKeptHour(site.settings, now_unix_ms);
  if (start_unix_ms >= first) return absl::OkStatus();
  return InvalidField(field,
                      fmt::format("begins before {}: hours are kept for {} days{}; ask for days",
                                  TimeText(first, absl::UTCTimeZone()), site.settings.hours_kept_days,
                                  first > FirstKeptHour({.hours_kept_days = site.settings.hours_kept_days}, now_unix_ms)
                                      ? " since the setting was changed"
                                      : ""));
}

// Plans a request with a known site and time.
class Planner {
 public:
  Planner(const v1::GetSeriesRequest& request, const Site& site, int64_t now_unix_ms)
      : request_(request),
        site_(site),
        now_(now_unix_ms),
        step_(request.step() == v1::SERIES_STEP_UNSPECIFIED ? v1::SERIES_STEP_DAY : request.step()) {}

  absl::StatusOr<SeriesPlan> Plan() const {
    if (step_ != v1::SERIES_STEP_HOUR && step_ != v1::SERIES_STEP_DAY && step_ != v1::SERIES_STEP_WEEK &&
        step_ != v1::SERIES_STEP_MONTH) {
      return InvalidField("step", "must be an hour, a day, a week or a month");
    }
    const auto span = SpanOf();
    if (!span.ok()) return span.status();
    if (step_ == v1::SERIES_STEP_HOUR) return Hours(*span);
    return Days(*span);
  }

 private:
  // Returns the first moment of the point that contains `unix_ms`.
  int64_t Floor(int64_t unix_ms) const {
    if (step_ == v1::SERIES_STEP_HOUR) return unix_ms - unix_ms % kHourMs;
    return StartOf(BeginOf(step_, DayAt(unix_ms, site_)), site_);
  }
  // Returns the first moment after the point that begins at `start`.
  int64_t After(int64_t start) const {
    if (step_ == v1::SERIES_STEP_HOUR) return start + kHourMs;
    return StartOf(EndOf(step_, DayAt(start, site_)), site_);
  }

  absl::StatusOr<TimeSpan> SpanOf() const {
    switch (request_.window().kind_case()) {
      case v1::Window::kLast:
        return LastSpan();
      case v1::Window::kDay:
        return DaySpan();
      case v1::Window::kRange:
        return RangeSpan();
      default:
        return InvalidField("window", "must be the last days or hours, a day, or a range");
    }
  }

  absl::StatusOr<TimeSpan> LastSpan() const {
    const auto& last = request_.window().last();
    const int64_t unit = step_ == v1::SERIES_STEP_HOUR ? 3'600 : 86'400;
    if (last.seconds() <= 0 || last.nanos() != 0 || last.seconds() % unit != 0) {
      return InvalidField("window.last", fmt::format("must be a whole number of {}s, at least 1, for points of a {}",
                                                     unit == 3'600 ? "hour" : "day", NameOf(step_)));
    }
    if (last.seconds() / unit > static_cast<int64_t>(limits::kSeriesPointsMax)) return TooMany("window.last");
    if (step_ == v1::SERIES_STEP_HOUR) {
      const int64_t end = Floor(now_) + kHourMs;
      return TimeSpan{end - last.seconds() * 1'000, end};
    }
    const absl::CivilDay today = DayAt(now_, site_);
    const TimeSpan span{StartOf(today + 1 - last.seconds() / unit, site_), StartOf(today + 1, site_)};
    // The last 30 days seldom begin with a week or a month.
    return step_ == v1::SERIES_STEP_DAY ? span : TimeSpan{Floor(span.start_unix_ms), span.end_unix_ms};
  }

  absl::StatusOr<TimeSpan> DaySpan() const {
    const auto day = AskedDay(request_.window().day(), site_, now_);
    if (!day.ok()) return day.status();
    const TimeSpan span{StartOf(*day, site_), StartOf(*day + 1, site_)};
    if (auto status = CheckEdge("window.day", span.start_unix_ms); !status.ok()) return status;
    if (auto status = CheckEdge("window.day", span.end_unix_ms); !status.ok()) return status;
    return span;
  }

  absl::StatusOr<TimeSpan> RangeSpan() const {
    const auto asked = AskedRange(request_.window().range());
    if (!asked.ok()) return asked.status();
    const TimeSpan span = *asked;
    if (auto status = CheckEdge("window.range.start", span.start_unix_ms); !status.ok()) return status;
    if (auto status = CheckEdge("window.range.end", span.end_unix_ms); !status.ok()) return status;
    return span;
  }

  // Refuses a moment that does not lie between two points.
  absl::Status CheckEdge(std::string_view field, int64_t unix_ms) const {
    const int64_t before = Floor(unix_ms);
    if (before == unix_ms) return absl::OkStatus();
    // Hours are those of UTC whatever the site's zone is.
    const absl::TimeZone zone = step_ == v1::SERIES_STEP_HOUR ? absl::UTCTimeZone() : site_.zone;
    return InvalidField(field, fmt::format("{} is not the beginning of a{} {} of {}; the nearest ones are {} and {}",
                                           TimeText(unix_ms, zone), step_ == v1::SERIES_STEP_HOUR ? "n" : "",
                                           NameOf(step_), step_ == v1::SERIES_STEP_HOUR ? "UTC" : "the site",
                                           TimeText(before, zone), TimeText(After(before), zone)));
  }

  static absl::Status TooMany(std::string_view field) {
    return InvalidField(field, fmt::format("may have {} hours or days", limits::kSeriesPointsMax));
  }

  absl::StatusOr<SeriesPlan> Hours(const TimeSpan& span) const {
    if (auto status = CheckHours("window", span.start_unix_ms, site_, now_); !status.ok()) return status;
    SeriesPlan plan;
    for (int64_t at = span.start_unix_ms; at < std::min(span.end_unix_ms, now_ + 1); at += kHourMs) {
      plan.points.push_back({.start_unix_ms = at, .windows = 1});
      plan.windows.push_back({Window::Kind::kHour, static_cast<uint32_t>(at / kHourMs)});
    }
    return plan;
  }

  absl::StatusOr<SeriesPlan> Days(const TimeSpan& span) const {
    const absl::CivilDay end = DayAt(std::min(span.end_unix_ms - 1, now_), site_) + 1;
    const absl::CivilDay begin = DayAt(span.start_unix_ms, site_);
    if (auto status = CheckKept("window", begin, site_, now_); !status.ok()) return status;
    if (end - begin > static_cast<absl::civil_diff_t>(limits::kSeriesPointsMax)) return TooMany("window");
    SeriesPlan plan;
    for (absl::CivilDay day = begin; day < end;) {
      const absl::CivilDay next = std::min(EndOf(step_, BeginOf(step_, day)), end);
      plan.points.push_back(
          {.start_unix_ms = StartOf(day, site_), .day = day, .windows = static_cast<size_t>(next - day)});
      for (; day < next; ++day) plan.windows.push_back({Window::Kind::kDay, DayNumber(day)});
    }
    return plan;
  }

  const v1::GetSeriesRequest& request_;
  const Site& site_;
  const int64_t now_;
  const v1::SeriesStep step_;
};

// Moves the points of a plan to an earlier time: points of hours by `hours`, other points to the day that
// `begin_before` returns.
template <typename BeginBefore>
absl::StatusOr<SeriesPlan> Earlier(std::string_view field, const SeriesPlan& plan, v1::SeriesStep step, int64_t hours,
                                   BeginBefore begin_before, const Site& site, int64_t now_unix_ms) {
  SeriesPlan earlier;
  for (const SeriesPlan::Point& point : plan.points) {
    if (!point.day) {
      const int64_t start = point.start_unix_ms - hours * kHourMs;
      if (auto status = CheckHours(field, start, site, now_unix_ms); !status.ok()) return status;
      earlier.points.push_back({.start_unix_ms = start, .windows = 1});
      earlier.windows.push_back({Window::Kind::kHour, static_cast<uint32_t>(start / kHourMs)});
      continue;
    }
    const absl::CivilDay begin = begin_before(*point.day), end = EndOf(step, begin);
    if (auto status = CheckKept(field, begin, site, now_unix_ms); !status.ok()) return status;
    earlier.points.push_back(
        {.start_unix_ms = StartOf(begin, site), .day = begin, .windows = static_cast<size_t>(end - begin)});
    for (absl::CivilDay day = begin; day < end; ++day) earlier.windows.push_back({Window::Kind::kDay, DayNumber(day)});
  }
  return earlier;
}

}  // namespace

absl::StatusOr<SeriesPlan> PlanSeries(const v1::GetSeriesRequest& request, const Site& site, int64_t now_unix_ms) {
  return Planner(request, site, now_unix_ms).Plan();
}

absl::StatusOr<SeriesPlan> PlanPointsBefore(const v1::GetSeriesRequest& request, const SeriesPlan& plan,
                                            const Site& site, int64_t now_unix_ms) {
  const auto count = static_cast<int64_t>(plan.points.size());
  const v1::SeriesStep step = request.step();
  const auto begin_before = [&](absl::CivilDay day) {
    if (step == v1::SERIES_STEP_MONTH) return absl::CivilDay(absl::CivilMonth(day) - count);
    return day - (step == v1::SERIES_STEP_WEEK ? 7 * count : count);
  };
  return Earlier("with_before", plan, step, count, begin_before, site, now_unix_ms);
}

absl::StatusOr<SeriesPlan> PlanYearBefore(const v1::GetSeriesRequest& request, const SeriesPlan& plan, const Site& site,
                                          int64_t now_unix_ms) {
  const v1::SeriesStep step = request.step();
  const auto begin_before = [&](absl::CivilDay day) {
    if (step == v1::SERIES_STEP_MONTH) return absl::CivilDay(absl::CivilMonth(day) - 12);
    return day - kDaysOfYearBefore;
  };
  return Earlier("with_year_before", plan, step, 24 * kDaysOfYearBefore, begin_before, site, now_unix_ms);
}

}  // namespace viewcount
