// Finds the hours and days that make up the window of a request.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/limits.h"
#include "service/model/window.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

inline constexpr int64_t kMsOfHour = 3'600'000;
// A whole number of days means days, not hours, if it is longer than this. Hours are always kept for at least as long.
inline constexpr std::chrono::hours kLastHoursMax = limits::kHourKeysExpireAfter;

// A span of time, in Unix milliseconds.
struct TimeSpan {
  int64_t start_unix_ms = 0;
  // The first moment after it.
  int64_t end_unix_ms = 0;
};

// The windows whose views together are those of a request's window.
struct AskedWindows {
  // All time alone; or days and hours in ascending order, each once, of which no two contain the same view.
  std::vector<Window> windows;
  // The time that they cover. 0 and 0 for all time.
  TimeSpan span;
};

// Returns all time if `window` is unset. Thread-safe.
//
// Days are those of the site's time zone; an empty day means today. Hours are those of UTC. Both must still be kept,
// see service/sites/retention.h. The last hours, and ranges, are made of days where they contain whole ones, and of
// hours at their edges. A whole number of days that is longer than kLastHoursMax means days of the site that end with
// today. A range may end after `now_unix_ms`.
//
// INVALID_ARGUMENT names the field, and the nearest moment that can be an edge. There may be
// limits::kWindowPartsMax hours and days.
absl::StatusOr<AskedWindows> WindowsOf(const v1::Window& window, const Site& site, int64_t now_unix_ms);

// Returns the first moment of a day of the site, Unix milliseconds.
int64_t StartOf(absl::CivilDay day, const Site& site);
// Returns the day of the site at a moment.
absl::CivilDay DayAt(int64_t unix_ms, const Site& site);
// Returns a moment as text, such as 2026-11-22T00:00:00+07:00.
std::string TimeText(int64_t unix_ms, const absl::TimeZone& zone);
// Parses `YYYY-MM-DD`, or returns the day at `now_unix_ms` if the text is empty. INVALID_ARGUMENT names `window.day`.
absl::StatusOr<absl::CivilDay> AskedDay(std::string_view text, const Site& site, int64_t now_unix_ms);
// INVALID_ARGUMENT names the edge if it is no time from 1970 to 9999, or if the range is empty.
absl::StatusOr<TimeSpan> AskedRange(const v1::Window::Range& range);
// Returns INVALID_ARGUMENT with the first day that is kept if `first` lies before it.
absl::Status CheckKept(std::string_view field, absl::CivilDay first, const Site& site, int64_t now_unix_ms);

}  // namespace viewcount
