// The kinds of counts that a site has.
#pragma once

#include <compare>
#include <cstdint>

namespace viewcount {

// Selects one of a site's counts. Views are counted of all time, of a day and of an hour; bots' views of all time.
// Visits are counted of all time and of a day, for the site but not for an article. The number of an article's viewers
// is estimated, and can only be read.
struct Window {
  enum class Kind : uint8_t { kAllTime, kDay, kHour, kBots, kVisits, kVisitDay, kViewers };
  Kind kind = Kind::kAllTime;
  // The day in the form of DayNumber, or hours since 1970; 0 for the other kinds.
  uint32_t number = 0;

  auto operator<=>(const Window&) const = default;
};

}  // namespace viewcount
