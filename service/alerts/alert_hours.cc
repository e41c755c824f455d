#include "service/alerts/alert_hours.h"

#include <algorithm>

namespace viewcount {
namespace {

constexpr int64_t kSecondsOfHour = 3'600;

int DaysOf(const v1::AlertDigest& digest) { return digest.period() == v1::DIGEST_PERIOD_WEEK ? 7 : 1; }

}  // namespace

uint32_t WatchedHoursOf(const v1::Alert& alert) { return std::max<uint32_t>(1, alert.hours()); }

int64_t SameHourBefore(int64_t hour, int days, const absl::TimeZone& zone) {
  const auto now = zone.At(absl::FromUnixSeconds(hour * kSecondsOfHour)).cs;
  const absl::CivilDay day(now);
  const absl::CivilSecond before = absl::CivilSecond(day - days) + (now - absl::CivilSecond(day));
  // A zone may have shifted by half an hour, and hours are those of UTC.
  const int64_t seconds = absl::ToUnixSeconds(absl::FromCivil(before, zone));
  return seconds / kSecondsOfHour;
}

DigestSpan DigestOfDay(const v1::AlertDigest& digest, absl::CivilDay due) {
  const int days = DaysOf(digest);
  return {.due = due, .begin = due - days, .end = due, .before = due - days - days};
}

DigestSpan DueDigest(const v1::AlertDigest& digest, const absl::TimeZone& zone, int64_t unix_ms) {
  const absl::Time now = absl::FromUnixMillis(unix_ms);
  absl::CivilDay due(zone.At(now).cs);
  if (digest.period() == v1::DIGEST_PERIOD_WEEK) due = absl::PrevWeekday(due + 1, absl::Weekday::monday);
  // FromCivil returns the first of two times, and for a time that does not exist one after the gap.
  const absl::CivilHour at(due.year(), due.month(), due.day(), static_cast<int>(digest.hour()));
  if (absl::FromCivil(at, zone) > now) due -= DaysOf(digest);
  return DigestOfDay(digest, due);
}

}  // namespace viewcount
