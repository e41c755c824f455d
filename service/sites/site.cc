#include "service/sites/site.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/sites/stored_site.h"
#include "service/sites/time_zone.h"

namespace viewcount {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

}  // namespace

absl::StatusOr<Site> MakeSite(std::string_view name, SiteSettings settings) {
  if (!settings.time_zone.empty() && !IsZoneName(settings.time_zone)) {
    return InvalidField("site.time_zone",
                        "must be an IANA name such as Asia/Ho_Chi_Minh; it is neither a path nor localtime");
  }
  return MakeStoredSite(name, std::move(settings));
}

absl::StatusOr<Site> MakeStoredSite(std::string_view name, SiteSettings settings) {
  if (!IsSiteName(name)) {
    return InvalidField("site.name",
                        "must be 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit");
  }
  Site site;
  site.name = name;
  auto checked = CheckedSettings(std::move(settings));
  if (!checked.ok()) return checked.status();
  site.settings = *std::move(checked);
  site.excluded = *AddressRanges::Parse(site.settings.excluded_addresses);
  auto agents = AgentRule::Make(site.settings.agents);
  if (!agents.ok()) return agents.status();
  site.agents = *std::move(agents);
  auto rule = ArticleRule::Make(site.settings.articles);
  if (!rule.ok()) return rule.status();
  site.rule = *std::move(rule);
  if (!LoadZone(site.settings.time_zone, site.zone)) {
    return InvalidField("site.time_zone",
                        "no such time zone on this machine; use an IANA name such as Asia/Ho_Chi_Minh "
                        "(package tzdata)");
  }
  std::vector<DayZones::Earlier> earlier;
  for (const EarlierZone& zone : site.settings.earlier_zones) {
    absl::TimeZone loaded;
    if (!LoadZone(zone.time_zone, loaded)) {
      return InvalidField("site.earlier_time_zones", "no such time zone on this machine (package tzdata)");
    }
    earlier.push_back({loaded, zone.until_unix_ms});
  }
  if (site.settings.first_kept_day != 0 && !DayOfNumber(site.settings.first_kept_day)) {
    return InvalidField("site.days_kept", "was changed on a day that does not exist");
  }
  site.days = DayZones(site.zone, std::move(earlier));
  site.seed = Hash64(name);
  return site;
}

uint32_t DayNumber(absl::CivilDay day) {
  return static_cast<uint32_t>(day.year() * 10'000 + int64_t{day.month()} * 100 + day.day());
}

std::optional<absl::CivilDay> DayOfNumber(uint32_t number) {
  const absl::CivilDay day(number / 10'000, number / 100 % 100, number % 100);
  if (DayNumber(day) != number) return std::nullopt;
  return day;
}

SiteCalendar::Slot SiteCalendar::Find(int64_t unix_ms) const {
  const DayZones::Part& part = zones_.PartAt(unix_ms);
  const auto local = part.zone.At(absl::FromUnixMillis(unix_ms));
  const absl::CivilDay day(local.cs);
  const int64_t day_begin = unix_ms - (local.cs - absl::CivilSecond(day)) * 1'000 - unix_ms % 1'000;
  const int64_t hour = unix_ms / kHourMs;
  Slot slot;
  slot.hour = static_cast<uint32_t>(hour);
  slot.day = DayNumber(std::max(day, part.least_day));
  slot.day_begin_ms = day > part.least_day ? std::max(day_begin, part.begin_ms) : zones_.StartOf(part.least_day);
  slot.begin_ms = std::max({day_begin, hour * kHourMs, part.begin_ms});
  slot.end_ms = std::min({day_begin + kDayMs, (hour + 1) * kHourMs, part.end_ms});
  // This is correct while the offset from UTC does not change. Clocks may jump forward, or back over midnight, and then
  // a day has two pieces. If the offset changes within the slot, it is reduced to this one moment. An offset never
  // changes twice in an hour.
  const auto runs_on_at = [&](int64_t at) { return part.zone.At(absl::FromUnixMillis(at)).offset == local.offset; };
  if (!runs_on_at(slot.begin_ms) || !runs_on_at(slot.end_ms - 1)) {
    slot.begin_ms = unix_ms;
    slot.end_ms = unix_ms + 1;
  }
  return slot;
}

}  // namespace viewcount
