// How long a site's hours and days are kept, and which of them are certainly complete.
//
// The store deletes the counts of an hour some time after they were written. So an hour is complete only if it is young
// enough by every value of the setting that was in force since it was written. That is why SiteSettings has the earlier
// values. Days are removed by DayRemover, and a site's settings have the first day that was never removed. See
// docs/decisions/retention-of-hours-and-days.md. All functions are pure, so thread-safe. Times are Unix milliseconds.
#pragma once

#include <absl/time/civil_time.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "service/sites/site.h"
#include "service/sites/site_settings.h"

namespace viewcount {

// The time in which all instances that can reach the store learn of a changed setting.
inline constexpr std::chrono::seconds kSettingsKnownAfter{10};

// Returns how long an hour is kept after it was written. It is an hour more than the setting, because views may be
// ahead of their time, and clocks may differ.
std::chrono::hours HoursKept(const SiteSettings& settings);
// Returns the beginning of the first hour that is certainly complete. All hours after it are complete, too.
int64_t FirstKeptHour(const SiteSettings& settings, int64_t now_unix_ms);
// Returns whether views of an hour are still written. `hour` is counted since 1970.
bool IsHourWritten(const SiteSettings& settings, uint32_t hour, int64_t now_unix_ms);

// Returns the first day that is certainly complete; nothing if all days are.
std::optional<absl::CivilDay> FirstKeptDay(const Site& site, int64_t now_unix_ms);
// Returns the first day whose views are still written, in the form of DayNumber; 0 if all days are kept.
uint32_t FirstWrittenDay(const Site& site, int64_t now_unix_ms);
// Returns the first day that DayRemover leaves, in the form of DayNumber; 0 if all days are kept. It removes a day an
// hour after the day is kept no more, because reads may be under way, and clocks may differ.
uint32_t FirstLeftDay(const Site& site, int64_t now_unix_ms);
// Returns whether views of a day are still written. `day` is in the form of DayNumber.
bool IsDayWritten(const Site& site, uint32_t day, int64_t now_unix_ms);

// Sets the members of `wanted` that remember the values of `present`, the site before the change.
void RememberRetention(const Site& present, int64_t now_unix_ms, SiteSettings& wanted);
// Adds an earlier value that was in force until `until_unix_ms`. Used by RememberRetention, and where an instance
// learns late that hours are kept for longer.
void AddEarlierHoursKept(EarlierHoursKept earlier, SiteSettings& settings);
// Returns the first full hour that is written under new settings only, if they are changed now.
int64_t FirstHourOfChange(int64_t now_unix_ms);

}  // namespace viewcount
