#include "service/query/kept_windows.h"

#include "service/sites/retention.h"

namespace viewcount {

bool AreKept(std::span<const Window> windows, const Site& site, int64_t now_unix_ms) {
  constexpr int64_t kMsOfWindowHour = 3'600'000;
  const int64_t first_hour = FirstKeptHour(site.settings, now_unix_ms) / kMsOfWindowHour;
  const auto first_day = FirstKeptDay(site, now_unix_ms);
  const uint32_t first_number = first_day ? DayNumber(*first_day) : 0;
  for (const Window window : windows) {
    if (window.kind == Window::Kind::kHour && window.number < first_hour) return false;
    const bool day = window.kind == Window::Kind::kDay || window.kind == Window::Kind::kVisitDay;
    if (day && window.number < first_number) return false;
  }
  return true;
}

bool AreKept(std::span<const Window> windows, const SiteDirectory& sites, const Site& site, int64_t now_unix_ms) {
  const auto present = sites.Find(site.name);
  return AreKept(windows, present == nullptr ? site : *present, now_unix_ms);
}

}  // namespace viewcount
