#include "service/query/window.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace {

constexpr int64_t kSecondsOfHour = 3'600;
constexpr int64_t kSecondsOfDay = 24 * kSecondsOfHour;
// The years that a key can name.
constexpr int64_t kLastSecond = limits::kEventTimeUnixMsMax / 1'000;

bool IsWholeHour(int64_t unix_ms) { return unix_ms % kMsOfHour == 0; }
int64_t NextHour(int64_t unix_ms) { return unix_ms - unix_ms % kMsOfHour + kMsOfHour; }

std::vector<Window> HoursOf(const TimeSpan& span) {
  std::vector<Window> hours;
  for (int64_t at = span.start_unix_ms; at < span.end_unix_ms; at += kMsOfHour) {
    hours.push_back({Window::Kind::kHour, static_cast<uint32_t>(at / kMsOfHour)});
  }
  return hours;
}

std::vector<Window> DaysOf(absl::CivilDay first, absl::CivilDay end) {
  std::vector<Window> days;
  for (absl::CivilDay day = first; day < end; ++day) days.push_back({Window::Kind::kDay, DayNumber(day)});
  return days;
}

// Divides a span into days and hours.
class Division {
 public:
  // `fields` name the edges in errors.
  struct Fields {
    std::string_view start;
    std::string_view end;
  };
  Division(const Site& site, int64_t now_unix_ms, const TimeSpan& span, Fields fields)
      : site_(site),
        now_(now_unix_ms),
        first_hour_(FirstKeptHour(site.settings, now_unix_ms)),
        span_(span),
        fields_(fields) {}

  absl::StatusOr<std::vector<Window>> Windows() const {
    // The first and the last midnight. A day that has not ended
    // counts as far as it has come.
    absl::CivilDay first = DayAt(span_.start_unix_ms, site_);
    if (StartOf(first, site_) < span_.start_unix_ms) ++first;
    const bool open = span_.end_unix_ms > now_;
    const absl::CivilDay last = DayAt(open ? now_ : span_.end_unix_ms, site_) + (open ? 1 : 0);
    if (first > last || (first == last && AreHours(span_))) return OnlyHours();
    const TimeSpan before{span_.start_unix_ms, StartOf(first, site_)};
    const TimeSpan after{StartOf(last, site_), open ? StartOf(last, site_) : span_.end_unix_ms};
    if (!AreHours(before)) return AreHours(span_) ? OnlyHours() : Refuse(fields_.start, span_.start_unix_ms);
    if (!AreHours(after)) return AreHours(span_) ? OnlyHours() : Refuse(fields_.end, span_.end_unix_ms);
    if (first < last) {
      if (auto status = CheckKept(fields_.start, first, site_, now_); !status.ok()) return status;
    }
    std::vector<Window> windows = HoursOf(before);
    std::ranges::copy(DaysOf(first, last), std::back_inserter(windows));
    std::ranges::copy(HoursOf(after), std::back_inserter(windows));
    return Bounded(std::move(windows));
  }

 private:
  // Returns whether a span can be divided into hours.
  bool AreHours(const TimeSpan& span) const {
    if (span.start_unix_ms >= span.end_unix_ms) return true;
    return IsWholeHour(span.start_unix_ms) && (IsWholeHour(span.end_unix_ms) || span.end_unix_ms > now_) &&
           span.start_unix_ms >= first_hour_;
  }
  absl::StatusOr<std::vector<Window>> OnlyHours() const {
    if (!AreHours(span_)) {
      const bool start = !IsWholeHour(span_.start_unix_ms) || span_.start_unix_ms < first_hour_;
      return start ? Refuse(fields_.start, span_.start_unix_ms) : Refuse(fields_.end, span_.end_unix_ms);
    }
    return Bounded(HoursOf({span_.start_unix_ms, std::min(span_.end_unix_ms, NextHour(now_))}));
  }
  static absl::StatusOr<std::vector<Window>> Bounded(std::vector<Window> windows) {
    if (windows.size() <= limits::kWindowPartsMax) return windows;
    return InvalidField("window", fmt::format("consists of {} days and hours; there may be {}", windows.size(),
                                              limits::kWindowPartsMax));
  }
  absl::Status Refuse(std::string_view field, int64_t edge) const {
    const absl::CivilDay day = DayAt(edge, site_);
    return InvalidField(field, fmt::format("{} must be a midnight of the site, such as {} or {}{}",
                                           TimeText(edge, site_.zone), TimeText(StartOf(day, site_), site_.zone),
                                           TimeText(StartOf(day + 1, site_), site_.zone), HoursHint(edge)));
  }
  std::string HoursHint(int64_t edge) const {
    const absl::TimeZone utc = absl::UTCTimeZone();
    if (edge < first_hour_) return fmt::format("; hours are kept since {}", TimeText(first_hour_, utc));
    return fmt::format(", or a whole hour of UTC, such as {}; both edges must be hours if no midnight is between them",
                       TimeText(NextHour(edge) - kMsOfHour, utc));
  }

  const Site& site_;
  const int64_t now_;
  const int64_t first_hour_;
  const TimeSpan span_;
  const Fields fields_;
};

absl::StatusOr<AskedWindows> Divide(const TimeSpan& span, const Site& site, int64_t now, Division::Fields fields) {
  auto windows = Division(site, now, span, fields).Windows();
  if (!windows.ok()) return windows.status();
  return AskedWindows{.windows = *std::move(windows), .span = span};
}

AskedWindows DayWindows(absl::CivilDay first, absl::CivilDay end, const Site& site) {
  return {.windows = DaysOf(first, end), .span = {StartOf(first, site), StartOf(end, site)}};
}

absl::StatusOr<AskedWindows> LastWindows(const google::protobuf::Duration& last, const Site& site, int64_t now) {
  const std::string_view field = "window.last";
  const int64_t seconds = last.seconds();
  if (seconds <= 0 || last.nanos() != 0 || seconds % kSecondsOfHour != 0) {
    return InvalidField(field, "must be a whole number of hours, at least 1");
  }
  const int64_t end_of_hour = NextHour(now);
  const int64_t hours_kept = (end_of_hour - FirstKeptHour(site.settings, now)) / kMsOfHour;
  const int64_t days = seconds / kSecondsOfDay;
  if (seconds <= kLastHoursMax.count() * kSecondsOfHour || seconds % kSecondsOfDay != 0) {
    if (seconds > hours_kept * kSecondsOfHour) {
      return InvalidField(
          field, fmt::format("of more than {} hours must be a whole number of days, such as {} or {} hours", hours_kept,
                             days * 24, (days + 1) * 24));
    }
    return Divide({end_of_hour - seconds * 1'000, end_of_hour}, site, now, {field, field});
  }
  if (days > static_cast<int64_t>(limits::kWindowPartsMax)) {
    return InvalidField(field, fmt::format("must be at most {} days", limits::kWindowPartsMax));
  }
  const absl::CivilDay end = DayAt(now, site) + 1;
  if (auto status = CheckKept(field, end - days, site, now); !status.ok()) return status;
  return DayWindows(end - days, end, site);
}

}  // namespace

absl::StatusOr<AskedWindows> WindowsOf(const v1::Window& window, const Site& site, int64_t now_unix_ms) {
  switch (window.kind_case()) {
    case v1::Window::KIND_NOT_SET:
      return AskedWindows{.windows = {Window{}}, .span = {}};
    case v1::Window::kAllTime:
      if (!window.all_time()) return InvalidField("window.all_time", "must be true, or another kind of window set");
      return AskedWindows{.windows = {Window{}}, .span = {}};
    case v1::Window::kDay: {
      const auto day = AskedDay(window.day(), site, now_unix_ms);
      if (!day.ok()) return day.status();
      if (auto status = CheckKept("window.day", *day, site, now_unix_ms); !status.ok()) return status;
      return DayWindows(*day, *day + 1, site);
    }
    case v1::Window::kLast:
      return LastWindows(window.last(), site, now_unix_ms);
    case v1::Window::kRange: {
      const auto span = AskedRange(window.range());
      if (!span.ok()) return span.status();
      if (span->start_unix_ms > now_unix_ms) {
        return InvalidField("window.range.start", "must not be after the present, " + TimeText(now_unix_ms, site.zone));
      }
      return Divide(*span, site, now_unix_ms, {"window.range.start", "window.range.end"});
    }
  }
  return InvalidField("window", "unknown kind");
}

int64_t StartOf(absl::CivilDay day, const Site& site) { return site.days.StartOf(day); }

absl::CivilDay DayAt(int64_t unix_ms, const Site& site) { return site.days.DayAt(unix_ms); }

std::string TimeText(int64_t unix_ms, const absl::TimeZone& zone) {
  return absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(unix_ms), zone);
}

absl::StatusOr<absl::CivilDay> AskedDay(std::string_view text, const Site& site, int64_t now_unix_ms) {
  absl::CivilDay day = DayAt(now_unix_ms, site);
  const bool parsed = text.empty() || (text.size() == 10 && absl::ParseCivilTime(ToAbsl(text), &day));
  // No message can contain a time after the year 9999.
  if (!parsed || day.year() < 1970 || day.year() > 9998) {
    return InvalidField("window.day", "must be a day from 1970 to 9998 as YYYY-MM-DD, or empty for today");
  }
  return day;
}

absl::StatusOr<TimeSpan> AskedRange(const v1::Window::Range& range) {
  const auto millis_of = [](const google::protobuf::Timestamp& time) {
    return time.seconds() * 1'000 + time.nanos() / 1'000'000;
  };
  for (const auto* time : {&range.start(), &range.end()}) {
    if (time->seconds() >= 0 && time->seconds() <= kLastSecond && time->nanos() >= 0) continue;
    return InvalidField(time == &range.start() ? "window.range.start" : "window.range.end",
                        "must be a time from 1970 to 9999");
  }
  const TimeSpan span{millis_of(range.start()), millis_of(range.end())};
  if (span.start_unix_ms >= span.end_unix_ms) return InvalidField("window.range.end", "must be after the start");
  return span;
}

absl::Status CheckKept(std::string_view field, absl::CivilDay first, const Site& site, int64_t now_unix_ms) {
  const auto kept = FirstKeptDay(site, now_unix_ms);
  if (!kept || first >= *kept) return absl::OkStatus();
  const absl::CivilDay today = DayAt(now_unix_ms, site);
  return InvalidField(field, fmt::format("begins with {}, but days are kept since {} only, which are the last {} days",
                                         absl::FormatCivilTime(first), absl::FormatCivilTime(*kept),
                                         std::max<absl::civil_diff_t>(0, today + 1 - *kept)));
}

}  // namespace viewcount
