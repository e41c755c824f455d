#include "client/cli/site_days.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <string>
#include <utility>
#include <vector>

#include "service/sites/time_zone.h"

namespace viewcount::cli {
namespace {

absl::StatusOr<absl::TimeZone> ZoneNamed(const std::string& name) {
  absl::TimeZone zone;
  if (LoadZone(name.empty() ? "UTC" : name, zone)) return zone;
  return absl::FailedPreconditionError(
      fmt::format("this machine does not know the site's time zone {}; install tzdata", name));
}

}  // namespace

absl::StatusOr<DayZones> DayZonesOf(const v1::Site& site) {
  std::vector<DayZones::Earlier> earlier;
  for (const auto& before : site.earlier_time_zones()) {
    const auto zone = ZoneNamed(before.time_zone());
    if (!zone.ok()) return zone.status();
    earlier.push_back({*zone, google::protobuf::util::TimeUtil::TimestampToMilliseconds(before.until())});
  }
  const auto present = ZoneNamed(site.time_zone());
  if (!present.ok()) return present.status();
  return DayZones(*present, std::move(earlier));
}

}  // namespace viewcount::cli
