#include "service/visitors/viewer_salts.h"

#include "service/base/limits.h"

namespace viewcount {

SaltDays SaltDays::At(const DayZones& zones, int64_t unix_ms) {
  constexpr int64_t kPauseMs = limits::kVisitPause.count();
  constexpr int64_t kAheadMs = limits::kSaltAhead.count();
  const auto slot_of = [&](int64_t at) {
    return SiteCalendar(zones).SlotOf(std::clamp<int64_t>(at, 0, limits::kEventTimeUnixMsMax));
  };
  const auto before = slot_of(unix_ms - kPauseMs);
  const auto present = slot_of(unix_ms);
  const auto ahead = slot_of(unix_ms + kAheadMs);
  return {.before = before.day,
          .present = present.day,
          .ahead = ahead.day,
          .begin_ms = std::max({before.begin_ms + kPauseMs, present.begin_ms, ahead.begin_ms - kAheadMs}),
          .end_ms = std::min({before.end_ms + kPauseMs, present.end_ms, ahead.end_ms - kAheadMs})};
}

ViewerSalt ViewerSalts::OfSite::Of(uint32_t day) const {
  for (const auto& [known, salt] : salts) {
    if (known == day) return salt;
  }
  return {};
}

ViewerSalts::Pair ViewerSalts::At(const Site& site, int64_t unix_ms) {
  const MutexLock lock(mutex_);
  if (site.index.value >= sites_.size()) return {};
  OfSite& of = sites_[site.index.value];
  if (!of.days.Holds(unix_ms) || of.zones != site.days) {
    of.zones = site.days;
    of.days = SaltDays::At(site.days, unix_ms);
    of.found.present = of.Of(of.days.present);
    of.found.before = of.days.before != of.days.present ? of.Of(of.days.before) : ViewerSalt();
  }
  return of.found;
}

ViewerSalt ViewerSalts::Of(const Site& site, uint32_t day) const {
  const MutexLock lock(mutex_);
  return site.index.value < sites_.size() ? sites_[site.index.value].Of(day) : ViewerSalt();
}

void ViewerSalts::Put(const Site& site, uint32_t day, const ViewerSalt& salt) {
  const MutexLock lock(mutex_);
  if (site.index.value >= sites_.size()) sites_.resize(site.index.value + 1);
  OfSite& of = sites_[site.index.value];
  std::erase_if(of.salts, [&](const auto& known) { return known.first == day; });
  of.salts.emplace_back(day, salt);
  of.days = {};
}

void ViewerSalts::RemoveBefore(const Site& site, uint32_t day) {
  const MutexLock lock(mutex_);
  if (site.index.value >= sites_.size()) return;
  OfSite& of = sites_[site.index.value];
  const size_t removed = std::erase_if(of.salts, [&](const auto& known) { return known.first < day; });
  if (removed > 0) {
    of.days = {};
    of.found = {};
  }
}

}  // namespace viewcount
