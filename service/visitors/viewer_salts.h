// The salts that this process knows. Each site has today's salt, and shortly before midnight also tomorrow's. During
// the first half hour of a day it also has the salt of the day before, so that visits continue across midnight.
// SaltRotator (server/salt_rotator.h) adds and removes the salts, and the code that hashes viewers reads them.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "service/base/identifiers.h"
#include "service/base/mutex.h"
#include "service/sites/site.h"

namespace viewcount {

// The days of a site (see DayNumber) whose salts are usable at one moment. A regular value type.
struct SaltDays {
  // The day limits::kVisitPause ago. This is the day before during that time after midnight, else the present day.
  uint32_t before = 0;
  uint32_t present = 0;
  // The day in limits::kSaltAhead. This is the next day shortly before midnight, else the present day.
  uint32_t ahead = 0;
  // All fields are valid from `begin_ms` to before `end_ms`, in Unix milliseconds.
  int64_t begin_ms = 0;
  int64_t end_ms = 0;

  static SaltDays At(const DayZones& zones, int64_t unix_ms);

  bool Holds(int64_t unix_ms) const { return begin_ms <= unix_ms && unix_ms < end_ms; }
  // Returns the first day whose salt is still usable. `before` can be later than `present`: clocks that fall back over
  // midnight bring a day twice.
  uint32_t first() const { return std::min(before, present); }
};

// The salts of all sites. Thread-safe. `At` takes an uncontended lock and some comparisons, since it is
// called for each beacon.
class ViewerSalts {
 public:
  // The salts that are valid at one moment.
  struct Pair {
    // None while it is not known.
    ViewerSalt present;
    // The salt of the day before. None if it is not usable any more, or if it is not known.
    ViewerSalt before;
  };

  // Returns the salts of a site at a time in Unix milliseconds.
  Pair At(const Site& site, int64_t unix_ms);

  // Returns the salt of a site's day, or none if it is not known.
  ViewerSalt Of(const Site& site, uint32_t day) const;
  // Stores the salt of a site's day, in place of an earlier one.
  void Put(const Site& site, uint32_t day, const ViewerSalt& salt);
  // Forgets the site's salts of days before `day`.
  void RemoveBefore(const Site& site, uint32_t day);

 private:
  struct OfSite {
    // The salts by day, at most three.
    std::vector<std::pair<uint32_t, ViewerSalt>> salts;
    // The last result of `At`, and the zone and the period for which it is valid.
    DayZones zones;
    SaltDays days;
    Pair found;

    ViewerSalt Of(uint32_t day) const;
  };

  mutable Mutex mutex_;
  // By the site's index.
  std::vector<OfSite> sites_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
