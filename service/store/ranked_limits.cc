#include "service/store/ranked_limits.h"

#include "service/base/check.h"

namespace viewcount {

uint32_t RankedLimits::Of(Window::Kind kind) const {
  switch (kind) {
    case Window::Kind::kAllTime:
    case Window::Kind::kDay:
      return all_time_and_day;
    case Window::Kind::kHour:
      return hour;
    case Window::Kind::kBots:
    case Window::Kind::kVisits:
    case Window::Kind::kVisitDay:
    case Window::Kind::kViewers:
      return 0;
  }
  VIEWCOUNT_CHECK(false);
}

}  // namespace viewcount
