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

namespace viewcount {
namespace {

constexpr int64_t kHourMs = 3'600'000;
// The years that a key can name.
constexpr int64_t kLastSecond = 253'402'300'799;

// A span of time in Unix milliseconds, without `end`.
struct Span {
  int64_t start = 0;
  int64_t end = 0;
};

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

int64_t MillisOf(absl::CivilDay day, const absl::TimeZone& zone) {
  return absl::ToUnixMillis(absl::FromCivil(day, zone));
}
absl::CivilDay DayAt(int64_t unix_ms, const absl::TimeZone& zone) {
  return absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zone);
}
std::string TextOf(int64_t unix_ms, const absl::TimeZone& zone) {
  return absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(unix_ms), zone);
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
    return MillisOf(BeginOf(step_, DayAt(unix_ms, site_.zone)), site_.zone);
  }
  // Returns the first moment after the point that begins at `start`.
  int64_t After(int64_t start) const {
    if (step_ == v1::SERIES_STEP_HOUR) return start + kHourMs;
    return MillisOf(EndOf(step_, DayAt(start, site_.zone)), site_.zone);
  }

  absl::StatusOr<Span> SpanOf() const {
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

  absl::StatusOr<Span> LastSpan() const {
    const auto& last = request_.window().last();
    const int64_t unit = step_ == v1::SERIES_STEP_HOUR ? 3'600 : 86'400;
    if (last.seconds() <= 0 || last.nanos() != 0 || last.seconds() % unit != 0) {
      return InvalidField("window.last", fmt::format("must be a whole number of {}s, at least 1, for points of a {}",
                                                     unit == 3'600 ? "hour" : "day", NameOf(step_)));
    }
    if (last.seconds() / unit > static_cast<int64_t>(limits::kSeriesPointsMax)) return TooMany("window.last");
    if (step_ == v1::SERIES_STEP_HOUR) {
      const int64_t end = Floor(now_) + kHourMs;
      return Span{end - last.seconds() * 1'000, end};
    }
    const absl::CivilDay today = DayAt(now_, site_.zone);
    const Span span{MillisOf(today + 1 - last.seconds() / unit, site_.zone), MillisOf(today + 1, site_.zone)};
    // The last 30 days seldom begin with a week or a month.
    return step_ == v1::SERIES_STEP_DAY ? span : Span{Floor(span.start), span.end};
  }

  absl::StatusOr<Span> DaySpan() const {
    absl::CivilDay day = DayAt(now_, site_.zone);
    const std::string& text = request_.window().day();
    const bool parsed = text.empty() || (text.size() == 10 && absl::ParseCivilTime(text, &day));
    if (!parsed || day.year() < 1970 || day.year() > 9999) {
      return InvalidField("window.day", "must be a day from 1970 to 9999 as YYYY-MM-DD, or empty for today");
    }
    const Span span{MillisOf(day, site_.zone), MillisOf(day + 1, site_.zone)};
    if (auto status = CheckEdge("window.day", span.start); !status.ok()) return status;
    if (auto status = CheckEdge("window.day", span.end); !status.ok()) return status;
    return span;
  }

  absl::StatusOr<Span> RangeSpan() const {
    const auto& range = request_.window().range();
    const auto millis_of = [](const google::protobuf::Timestamp& time) {
      return time.seconds() * 1'000 + time.nanos() / 1'000'000;
    };
    for (const auto* time : {&range.start(), &range.end()}) {
      if (time->seconds() >= 0 && time->seconds() <= kLastSecond && time->nanos() >= 0) continue;
      return InvalidField(time == &range.start() ? "window.range.start" : "window.range.end",
                          "must be a time from 1970 to 9999");
    }
    const Span span{millis_of(range.start()), millis_of(range.end())};
    if (span.start >= span.end) return InvalidField("window.range.end", "must be after the start");
    if (auto status = CheckEdge("window.range.start", span.start); !status.ok()) return status;
    if (auto status = CheckEdge("window.range.end", span.end); !status.ok()) return status;
    return span;
  }

  // Refuses a moment that does not lie between two points.
  absl::Status CheckEdge(std::string_view field, int64_t unix_ms) const {
    const int64_t before = Floor(unix_ms);
    if (before == unix_ms) return absl::OkStatus();
    // Hours are those of UTC whatever the site's zone is.
    const absl::TimeZone zone = step_ == v1::SERIES_STEP_HOUR ? absl::UTCTimeZone() : site_.zone;
    return InvalidField(field, fmt::format("{} is not the beginning of a{} {} of {}; the nearest ones are {} and {}",
                                           TextOf(unix_ms, zone), step_ == v1::SERIES_STEP_HOUR ? "n" : "",
                                           NameOf(step_), step_ == v1::SERIES_STEP_HOUR ? "UTC" : "the site",
                                           TextOf(before, zone), TextOf(After(before), zone)));
  }

  static absl::Status TooMany(std::string_view field) {
    return InvalidField(field, fmt::format("may have {} hours or days", limits::kSeriesPointsMax));
  }

  absl::StatusOr<SeriesPlan> Hours(const Span& span) const {
    const int64_t first = Floor(now_) - std::chrono::milliseconds(limits::kHourKeysExpireAfter).count() + kHourMs;
    if (span.start < first) {
      return InvalidField("window",
                          fmt::format("begins before {}: hours are kept for {} days; ask for days",
                                      TextOf(first, absl::UTCTimeZone()), limits::kHourKeysExpireAfter.count() / 24));
    }
    SeriesPlan plan;
    for (int64_t at = span.start; at < std::min(span.end, now_ + 1); at += kHourMs) {
      plan.points.push_back({at, 1});
      plan.windows.push_back({Window::Kind::kHour, static_cast<uint32_t>(at / kHourMs)});
    }
    return plan;
  }

  absl::StatusOr<SeriesPlan> Days(const Span& span) const {
    const absl::CivilDay end = DayAt(std::min(span.end - 1, now_), site_.zone) + 1;
    const absl::CivilDay begin = DayAt(span.start, site_.zone);
    if (end - begin > static_cast<absl::civil_diff_t>(limits::kSeriesPointsMax)) return TooMany("window");
    SeriesPlan plan;
    for (absl::CivilDay day = begin; day < end;) {
      const absl::CivilDay next = std::min(EndOf(step_, BeginOf(step_, day)), end);
      plan.points.push_back({MillisOf(day, site_.zone), static_cast<size_t>(next - day)});
      for (; day < next; ++day) plan.windows.push_back({Window::Kind::kDay, DayNumber(day)});
    }
    return plan;
  }

  const v1::GetSeriesRequest& request_;
  const Site& site_;
  const int64_t now_;
  const v1::SeriesStep step_;
};

}  // namespace

absl::StatusOr<SeriesPlan> PlanSeries(const v1::GetSeriesRequest& request, const Site& site, int64_t now_unix_ms) {
  return Planner(request, site, now_unix_ms).Plan();
}

}  // namespace viewcount
