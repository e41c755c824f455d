#include "service/query/window.h"

#include <absl/time/time.h>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {

absl::StatusOr<Window> WindowOf(const v1::Window& window, const Site& site, int64_t now_unix_ms) {
  switch (window.kind_case()) {
    case v1::Window::KIND_NOT_SET:
      return Window{Window::Kind::kAllTime, 0};
    case v1::Window::kAllTime:
      if (!window.all_time()) return InvalidField("window.all_time", "must be true, or another kind of window set");
      return Window{Window::Kind::kAllTime, 0};
    case v1::Window::kDay: {
      absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(now_unix_ms), site.zone);
      const bool parsed =
          window.day().empty() || (window.day().size() == 10 && absl::ParseCivilTime(window.day(), &day));
      if (!parsed || day.year() < 1970 || day.year() > 9999) {
        return InvalidField("window.day", "must be a day from 1970 to 9999 as YYYY-MM-DD, or empty for today");
      }
      return Window{Window::Kind::kDay, DayNumber(day)};
    }
    case v1::Window::kLast:
      return NotBuiltYet("a window of the last hours");
    case v1::Window::kRange:
      return NotBuiltYet("a window from one hour to another");
  }
  return InvalidField("window", "unknown kind");
}

}  // namespace viewcount
