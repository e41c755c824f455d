#include "service/sites/site.h"

#include <algorithm>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

constexpr int64_t kHourMs = 3'600'000;

}  // namespace

absl::StatusOr<Site> MakeSite(std::string_view name, std::string_view time_zone) {
  if (!IsSiteName(name)) {
    return InvalidField("site.name",
                        "must be 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit");
  }
  Site site;
  site.name = name;
  site.time_zone = time_zone.empty() ? "UTC" : time_zone;
  if (!absl::LoadTimeZone(site.time_zone, &site.zone)) {
    return InvalidField("site.time_zone",
                        "no such time zone on this machine; use an IANA name such as Asia/Ho_Chi_Minh "
                        "(package tzdata)");
  }
  site.seed = Hash64(name);
  return site;
}

uint32_t DayNumber(absl::CivilDay day) {
  return static_cast<uint32_t>(day.year() * 10'000 + day.month() * 100 + day.day());
}

std::optional<absl::CivilDay> DayOfNumber(uint32_t number) {
  const absl::CivilDay day(number / 10'000, number / 100 % 100, number % 100);
  if (DayNumber(day) != number) return std::nullopt;
  return day;
}

SiteCalendar::Slot SiteCalendar::Find(int64_t unix_ms) const {
  const absl::CivilDay day(absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zone_));
  // A day may begin at one o'clock (a leap over midnight) or twice: FromCivil's answers are the first moment of the
  // day in both cases, and the clocks of no zone go back over more than one midnight.
  const int64_t day_begin = absl::ToUnixMillis(absl::FromCivil(day, zone_));
  const int64_t day_end = absl::ToUnixMillis(absl::FromCivil(day + 1, zone_));
  const int64_t hour = unix_ms / kHourMs;
  Slot slot;
  slot.hour = static_cast<uint32_t>(hour);
  slot.day = DayNumber(day);
  slot.begin_ms = std::max(day_begin, hour * kHourMs);
  slot.end_ms = std::min(day_end, (hour + 1) * kHourMs);
  if (!slot.Contains(unix_ms)) {
    // Clocks went back over midnight, so that this day is in two pieces: remember this moment only.
    slot.begin_ms = unix_ms;
    slot.end_ms = unix_ms + 1;
  }
  return slot;
}

}  // namespace viewcount
