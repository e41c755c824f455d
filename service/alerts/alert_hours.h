// The hours that alerts watch, and the days of digests. Pure functions; thread-safe.
#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>

#include "service/sites/site.h"
#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

// Returns the hours that an alert with a condition watches.
uint32_t WatchedHoursOf(const v1::Alert& alert);

// Returns the hour, counted from 1970 UTC, that had the same time of the zone's clock `days` days before `hour`. If
// that clock was changed meanwhile, this is not 24 hours for each day. A time that does not exist counts as the one
// after it.
int64_t SameHourBefore(int64_t hour, int days, const absl::TimeZone& zone);

// The days that one digest is about.
struct DigestSpan {
  // The day on which it is sent.
  absl::CivilDay due;
  // The first day, and the first day after it.
  absl::CivilDay begin;
  absl::CivilDay end;
  // The first day of the period before, which ends at `begin`.
  absl::CivilDay before;
};

// Returns the digest that is due on a day.
DigestSpan DigestOfDay(const v1::AlertDigest& digest, absl::CivilDay due);

// Returns the newest digest that is due at a moment. Digests are due at an hour of the site's clock: daily ones each
// day, weekly ones on Mondays. If the hour does not exist on a day, it is due when the hour after begins. If there are
// two such hours, it is due at the first one.
DigestSpan DueDigest(const v1::AlertDigest& digest, const absl::TimeZone& zone, int64_t unix_ms);

}  // namespace viewcount
