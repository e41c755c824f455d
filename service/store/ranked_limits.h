// The length of the rankings that the store keeps.
#pragma once

#include <cstdint>

#include "service/base/limits.h"
#include "service/model/window.h"

namespace viewcount {

// The number of articles of each hash that are ranked. Fixed for the life of a data set, because a shorter ranking does
// not know the articles that it left out.
struct RankedLimits {
  uint32_t all_time_and_day = limits::kRankedAllTimeAndDay;
  uint32_t hour = limits::kRankedHour;

  // Returns 0 for windows without a ranking.
  uint32_t Of(Window::Kind kind) const;
};

}  // namespace viewcount
