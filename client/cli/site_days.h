// The days of a site as its service has them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "service/sites/day_zones.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount::cli {

// Returns the time zones of the site's days. FAILED_PRECONDITION if this machine does not know one of them.
absl::StatusOr<DayZones> DayZonesOf(const v1::Site& site);

// Returns the day of a moment, and the first moment of a day. Pure functions.
inline absl::CivilDay DayOf(absl::Time time, const DayZones& days) { return days.DayAt(absl::ToUnixMillis(time)); }
inline absl::Time StartOf(absl::CivilDay day, const DayZones& days) { return absl::FromUnixMillis(days.StartOf(day)); }

}  // namespace viewcount::cli
