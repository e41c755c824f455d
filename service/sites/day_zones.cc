#include "service/sites/day_zones.h"

#include <algorithm>
#include <limits>

namespace viewcount {
namespace {

absl::CivilDay CivilDayAt(const absl::TimeZone& zone, int64_t unix_ms) {
  return absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zone);
}

}  // namespace

DayZones::DayZones(absl::TimeZone zone, std::vector<Earlier> earlier) {
  constexpr int64_t kEver = std::numeric_limits<int64_t>::max();
  earlier.push_back({zone, kEver});
  int64_t begin = std::numeric_limits<int64_t>::min();
  auto least = absl::CivilDay(absl::civil_year_t{-1'000'000});
  for (const Earlier& next : earlier) {
    parts_.push_back({.zone = next.zone, .begin_ms = begin, .end_ms = next.until_unix_ms, .least_day = least});
    if (next.until_unix_ms == kEver) break;
    begin = next.until_unix_ms;
    least = std::max(least, CivilDayAt(next.zone, begin - 1));
  }
}

const DayZones::Part& DayZones::PartAt(int64_t unix_ms) const {
  const auto is_before = [&](const Part& part) { return part.end_ms <= unix_ms; };
  return *std::ranges::find_if_not(parts_.begin(), parts_.end() - 1, is_before);
}

absl::CivilDay DayZones::DayAt(int64_t unix_ms) const {
  const Part& part = PartAt(unix_ms);
  return std::max(part.least_day, CivilDayAt(part.zone, unix_ms));
}

int64_t DayZones::StartOf(absl::CivilDay day) const {
  for (const Part& part : parts_) {
    const int64_t start = absl::ToUnixMillis(absl::FromCivil(day, part.zone));
    if (start < part.end_ms) return std::max(start, part.begin_ms);
  }
  return parts_.back().end_ms;
}

bool DayZones::operator==(const DayZones& other) const {
  return std::ranges::equal(parts_, other.parts_, [](const Part& one, const Part& two) {
    return one.zone == two.zone && one.end_ms == two.end_ms;
  });
}

}  // namespace viewcount
