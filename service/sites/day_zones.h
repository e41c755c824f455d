// The time zones whose midnights divide a site's days.
//
// A site may change its time zone. Views that were counted before stay in the days of the zone before. So the days of
// all moments up to the change are those of that zone. Days never go back: at the moment of the change it may be an
// earlier day in the new zone. Then the present day goes on until the next one begins there. Therefore every day is one
// span of time, which begins where the day before ends.
#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace viewcount {

// Immutable, so thread-safe. A value type.
class DayZones {
 public:
  // A zone and the first moment at which it was not valid any more, Unix milliseconds.
  struct Earlier {
    absl::TimeZone zone;
    int64_t until_unix_ms = 0;

    bool operator==(const Earlier&) const = default;
  };

  // NOLINTNEXTLINE(google-explicit-constructor): most sites never change their zone.
  DayZones(absl::TimeZone zone = absl::UTCTimeZone()) : DayZones(zone, {}) {}
  // `earlier` must be ordered by time.
  DayZones(absl::TimeZone zone, std::vector<Earlier> earlier);

  // Returns the day of a moment.
  absl::CivilDay DayAt(int64_t unix_ms) const;
  // Returns the first moment of a day. If no moment belongs to the day, returns the first one of the next day that has
  // some.
  int64_t StartOf(absl::CivilDay day) const;

  // A span of time in which one zone is valid: from `begin_ms` until before `end_ms`.
  struct Part {
    absl::TimeZone zone;
    int64_t begin_ms = 0;
    int64_t end_ms = 0;
    // The day that had begun before it. Days in it are not earlier.
    absl::CivilDay least_day;
  };
  // Returns the part of a moment.
  const Part& PartAt(int64_t unix_ms) const;

  bool operator==(const DayZones& other) const;

 private:
  // Ordered by time, without gaps. The last one is the present zone's.
  std::vector<Part> parts_;
};

}  // namespace viewcount
