// The salts that this process knows: of each site today's, tomorrow's shortly before midnight, and for the first half
// hour of a day that of the day before, so that a visit does not break at midnight. The keeper of salts puts them here
// and takes them away (server/salt_keeper.h); whoever hashes a viewer asks here.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "service/base/identifiers.h"
#include "service/sites/site.h"

namespace viewcount {

// The days of a site (see DayNumber) whose salts are of use at a moment. Regular.
struct SaltDays {
  // That of limits::kVisitPause ago: the day before for so long into a day, else the present one.
  uint32_t before = 0;
  uint32_t present = 0;
  // That of in limits::kSaltAhead: the day to come shortly before midnight, else the present one.
  uint32_t ahead = 0;
  // All that holds from `begin_ms` to before `end_ms` (Unix milliseconds).
  int64_t begin_ms = 0;
  int64_t end_ms = 0;

  static SaltDays At(const absl::TimeZone& zone, int64_t unix_ms);

  bool Holds(int64_t unix_ms) const { return begin_ms <= unix_ms && unix_ms < end_ms; }
  // Salts of earlier days are of no use any more. Clocks that fall back over a midnight bring a day twice.
  uint32_t first() const { return std::min(before, present); }
};

// Thread safe. A look takes an uncontended lock and some comparisons: it is made for each beacon.
class ViewerSalts {
 public:
  // Of a moment.
  struct Pair {
    // None while it is not known.
    ViewerSalt present;
    // Of the day before; none as soon as it is of no use, or if it is not known.
    ViewerSalt before;
  };

  Pair At(const Site& site, int64_t unix_ms);

  // The salt of a site's day; none if it is not known.
  ViewerSalt Of(const Site& site, uint32_t day) const;
  // Takes the place of another one.
  void Put(const Site& site, uint32_t day, const ViewerSalt& salt);
  // Forgets those of earlier days.
  void RemoveBefore(const Site& site, uint32_t day);

 private:
  struct OfSite {
    // By day: three at most.
    std::vector<std::pair<uint32_t, ViewerSalt>> salts;
    // What `At` found last, and for when it holds.
    absl::TimeZone zone;
    SaltDays days;
    Pair found;

    ViewerSalt Of(uint32_t day) const;
  };

  mutable std::mutex mutex_;
  // By the site's index.
  std::vector<OfSite> sites_;
};

}  // namespace viewcount
