// A site with its settings, as all components use it, and its calendar.
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

#include "service/addresses/article_rule.h"
#include "service/base/address_ranges.h"
#include "service/base/identifiers.h"
#include "service/sites/agent_rule.h"
#include "service/sites/aliases.h"
#include "service/sites/day_zones.h"
#include "service/sites/origins.h"
#include "service/sites/site_settings.h"

namespace viewcount {

// Immutable once it is shared: a change creates a new Site.
struct Site {
  std::string name;
  SiteSettings settings;
  // These members are derived from the settings.
  absl::TimeZone zone;
  DayZones days;
  AddressRanges excluded;
  AgentRule agents;
  ArticleRule rule;
  // The seed for the hash of the site's articles. Derived from the name.
  uint64_t seed = 0;
  // The site's number in this process, assigned by the SiteDirectory.
  SiteIndex index;
  // Null if the site never had aliases, as most sites.
  std::shared_ptr<const Aliases> aliases;

  // Returns true if pages of that origin may read the site's counts and send it views. `origin` is in the form that
  // browsers send.
  bool Allows(std::string_view origin) const {
    const auto& origins = settings.allowed_origins;
    return origins.empty() || std::binary_search(origins.begin(), origins.end(), origin) ||
           std::any_of(origins.begin(), origins.end(),
                       [&](const std::string& allowed) { return StandsFor(allowed, origin); });
  }
  // Returns the article for which views of `id` are counted; see Aliases::Resolve. The result is valid as long as the
  // site and `id`.
  std::string_view Resolve(std::string_view id) const { return aliases == nullptr ? id : aliases->Resolve(id); }
  AliasEntries alias_entries() const { return aliases == nullptr ? AliasEntries() : aliases->entries(); }
  void SetAliases(AliasEntries entries) {
    aliases = entries.empty() ? nullptr : std::make_shared<const Aliases>(std::move(entries));
  }
};

// Creates a site. Returns INVALID_ARGUMENT that names `site.name` or `site.time_zone`, or an error of CheckedSettings.
absl::StatusOr<Site> MakeSite(std::string_view name, SiteSettings settings);

// Returns a calendar day as a number such as 20261122.
uint32_t DayNumber(absl::CivilDay day);
// Returns the day of that number, or nothing if there is no such day.
std::optional<absl::CivilDay> DayOfNumber(uint32_t number);

// Finds the hour and the day of a moment. It remembers the last result, because views arrive in order of time. So a
// typical look-up costs two comparisons. Not thread-safe.
class SiteCalendar {
 public:
  // The interval from `begin_ms` until before `end_ms` (Unix milliseconds), in which hour and day are constant.
  struct Slot {
    int64_t begin_ms = 0;
    int64_t end_ms = 0;
    // Hours since 1970-01-01 UTC.
    uint32_t hour = 0;
    // The day in the site's time zone; see DayNumber.
    uint32_t day = 0;
    // The beginning of that day. If clocks were changed since then, it is wrong by the change, about an hour.
    int64_t day_begin_ms = 0;

    bool Contains(int64_t unix_ms) const { return begin_ms <= unix_ms && unix_ms < end_ms; }
  };

  explicit SiteCalendar(DayZones zones) : zones_(std::move(zones)) {}

  // Returns the slot of a moment. `unix_ms` must be from 0 to limits::kEventTimeUnixMsMax.
  const Slot& SlotOf(int64_t unix_ms) {
    if (!slot_.Contains(unix_ms)) [[unlikely]]
      slot_ = Find(unix_ms);
    return slot_;
  }

 private:
  Slot Find(int64_t unix_ms) const;

  DayZones zones_;
  Slot slot_;
};

}  // namespace viewcount
