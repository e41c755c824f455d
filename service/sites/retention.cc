#include "service/sites/retention.h"

#include <algorithm>
#include <vector>

namespace viewcount {
namespace {

constexpr int64_t kMsOfKeptHour = 3'600'000;
constexpr int64_t kHoursOfKeptDay = 24;

// Returns the first hour, counted since 1970, that has not been deleted if hours are kept for so many days.
int64_t FirstHour(uint32_t days, int64_t now_unix_ms) {
  return now_unix_ms / kMsOfKeptHour - kHoursOfKeptDay * int64_t{days} + 1;
}

}  // namespace

std::chrono::hours HoursKept(const SiteSettings& settings) {
  return std::chrono::hours(kHoursOfKeptDay * int64_t{settings.hours_kept_days} + 1);
}

int64_t FirstKeptHour(const SiteSettings& settings, int64_t now_unix_ms) {
  int64_t first = FirstHour(settings.hours_kept_days, now_unix_ms);
  for (const EarlierHoursKept& earlier : settings.earlier_hours_kept) {
    first = std::max(first, std::min(earlier.until_unix_ms / kMsOfKeptHour, FirstHour(earlier.days, now_unix_ms)));
  }
  return std::max<int64_t>(0, first) * kMsOfKeptHour;
}

bool IsHourWritten(const SiteSettings& settings, uint32_t hour, int64_t now_unix_ms) {
  return int64_t{hour} >= FirstHour(settings.hours_kept_days, now_unix_ms);
}

std::optional<absl::CivilDay> FirstKeptDay(const Site& site, int64_t now_unix_ms) {
  std::optional<absl::CivilDay> first;
  if (site.settings.first_kept_day != 0) first = DayOfNumber(site.settings.first_kept_day);
  if (site.settings.days_kept_days != 0) {
    const absl::CivilDay present = site.days.DayAt(now_unix_ms) + 1 - int64_t{site.settings.days_kept_days};
    first = std::max(first.value_or(present), present);
  }
  return first;
}

uint32_t FirstWrittenDay(const Site& site, int64_t now_unix_ms) {
  if (site.settings.days_kept_days == 0) return 0;
  return DayNumber(site.days.DayAt(now_unix_ms) + 1 - int64_t{site.settings.days_kept_days});
}

uint32_t FirstLeftDay(const Site& site, int64_t now_unix_ms) {
  return FirstWrittenDay(site, now_unix_ms - kMsOfKeptHour);
}

bool IsDayWritten(const Site& site, uint32_t day, int64_t now_unix_ms) {
  return day >= FirstWrittenDay(site, now_unix_ms);
}

int64_t FirstHourOfChange(int64_t now_unix_ms) {
  // Views of the next hour may be ahead of their time.
  const int64_t known = now_unix_ms + std::chrono::milliseconds(kSettingsKnownAfter).count();
  return (known / kMsOfKeptHour + 2) * kMsOfKeptHour;
}

void AddEarlierHoursKept(EarlierHoursKept earlier, SiteSettings& settings) {
  std::vector<EarlierHoursKept>& values = settings.earlier_hours_kept;
  // A value that was in force later and is not larger decides alone.
  std::erase_if(values, [&](const EarlierHoursKept& value) {
    return value.until_unix_ms <= earlier.until_unix_ms && value.days >= earlier.days;
  });
  values.push_back(earlier);
  while (values.size() > kEarlierHoursKeptMax) {
    // The two oldest become one that promises no more than either.
    values[1].days = std::min(values[0].days, values[1].days);
    values.erase(values.begin());
  }
}

void RememberRetention(const Site& present, int64_t now_unix_ms, SiteSettings& wanted) {
  wanted.earlier_hours_kept = present.settings.earlier_hours_kept;
  wanted.first_kept_day = present.settings.first_kept_day;
  const uint32_t kept = present.settings.hours_kept_days;
  // A larger value before needs no memory: the smaller one of now decides alone.
  if (wanted.hours_kept_days > kept) {
    int64_t until = FirstHourOfChange(now_unix_ms);
    // There may be several changes in one hour.
    if (!wanted.earlier_hours_kept.empty()) {
      until = std::max(until, wanted.earlier_hours_kept.back().until_unix_ms + 1);
    }
    AddEarlierHoursKept({.days = kept, .until_unix_ms = until}, wanted);
  }
  if (wanted.days_kept_days != present.settings.days_kept_days && present.settings.days_kept_days != 0) {
    // An instance that does not know of the change yet may remove one more day at midnight.
    const absl::CivilDay first = *FirstKeptDay(present, now_unix_ms) + 1;
    wanted.first_kept_day = std::max(wanted.first_kept_day, DayNumber(first));
  }
}

}  // namespace viewcount
