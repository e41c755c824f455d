// A portal's settings as every room uses them, and its calendar.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/base/identifiers.h"
#include "service/sites/aliases.h"
#include "service/sites/site_settings.h"

namespace viewcount {

// Immutable once made: a change makes a new one.
struct Site {
  std::string name;
  SiteSettings settings;
  // These follow from the settings.
  absl::TimeZone zone;
  AddressRanges excluded;
  // Seeds the hash of its articles; follows from the name.
  uint64_t seed = 0;
  // Its number in this process; given by the SiteDirectory.
  SiteIndex index;
  // Null if it never had any, as most have not.
  std::shared_ptr<const Aliases> aliases;

  // Whether pages of that origin, as their browser sends it, may read the site's counts and send it views.
  bool Allows(std::string_view origin) const {
    const auto& origins = settings.allowed_origins;
    return origins.empty() || std::binary_search(origins.begin(), origins.end(), origin);
  }
  // The article for which views of `id` are counted: see Aliases::Resolve. Valid as long as the site and `id`.
  std::string_view Resolve(std::string_view id) const { return aliases == nullptr ? id : aliases->Resolve(id); }
  AliasEntries alias_entries() const { return aliases == nullptr ? AliasEntries() : aliases->entries(); }
  void SetAliases(AliasEntries entries) {
    aliases = entries.empty() ? nullptr : std::make_shared<const Aliases>(std::move(entries));
  }
};

// Errors: INVALID_ARGUMENT naming `site.name`, `site.time_zone`, or as of CheckedSettings.
absl::StatusOr<Site> MakeSite(std::string_view name, SiteSettings settings);

// A calendar day as a number: 20261122.
uint32_t DayNumber(absl::CivilDay day);
// The day of that number, or nothing if there is no such day.
std::optional<absl::CivilDay> DayOfNumber(uint32_t number);

// Tells which hour and day a moment belongs to. Remembers the last answer, since views come in order of time, so that
// the usual question costs two comparisons. One thread at a time.
class SiteCalendar {
 public:
  // From `begin_ms` to before `end_ms` (Unix milliseconds) hour and day are the same.
  struct Slot {
    int64_t begin_ms = 0;
    int64_t end_ms = 0;
    // Hours since 1970-01-01 UTC.
    uint32_t hour = 0;
    // In the site's time zone, see DayNumber.
    uint32_t day = 0;
    // When that day began, or where clocks were changed since, an hour or so from it.
    int64_t day_begin_ms = 0;

    bool Contains(int64_t unix_ms) const { return begin_ms <= unix_ms && unix_ms < end_ms; }
  };

  explicit SiteCalendar(const absl::TimeZone& zone) : zone_(zone) {}

  // `unix_ms` from 0 to limits::kEventTimeUnixMsMax.
  const Slot& SlotOf(int64_t unix_ms) {
    if (!slot_.Contains(unix_ms)) [[unlikely]]
      slot_ = Find(unix_ms);
    return slot_;
  }

 private:
  Slot Find(int64_t unix_ms) const;

  absl::TimeZone zone_;
  Slot slot_;
};

}  // namespace viewcount
