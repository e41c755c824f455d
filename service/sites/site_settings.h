// The settings of a site, and their encoding as one line in the store and the journals: "Asia/Ho_Chi_Minh
// https://a.example cool-down=1800 exclude=10.0.0.0/8".
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/addresses/article_rule.h"
#include "service/sites/agent_rule.h"

namespace viewcount {

// A time zone that the site had.
struct EarlierZone {
  // An IANA name.
  std::string time_zone;
  // The moment of the change to the next one.
  int64_t until_unix_ms = 0;

  bool operator==(const EarlierZone&) const = default;
};
// The maximum number of changes.
inline constexpr size_t kEarlierZonesMax = 16;

// The ranges of SiteSettings::hours_kept_days and days_kept_days.
inline constexpr uint32_t kHoursKeptDaysMin = 8;
inline constexpr uint32_t kHoursKeptDaysMax = 400;
inline constexpr uint32_t kDaysKeptDaysMin = 62;
inline constexpr uint32_t kDaysKeptDaysMax = 36'500;

// A value that SiteSettings::hours_kept_days had.
struct EarlierHoursKept {
  uint32_t days = 0;
  // The first full hour that was written under the next value only, Unix milliseconds.
  int64_t until_unix_ms = 0;

  bool operator==(const EarlierHoursKept&) const = default;
};
// The maximum number of earlier values.
inline constexpr size_t kEarlierHoursKeptMax = 8;

// A regular value type. The defaults are those of a site without settings.
struct SiteSettings {
  // An IANA name. CheckedSettings replaces an empty one by "UTC".
  std::string time_zone;
  // In the form that NormalizedOrigins returns. An empty list allows every origin.
  std::vector<std::string> allowed_origins = {};
  // The time in which a known viewer's views of an article count once, up to limits::kCoolDownMax. With 0 every view
  // counts.
  std::chrono::seconds cool_down{0};
  // IP addresses and CIDR ranges whose views over HTTP do not count. Sorted and without duplicates.
  std::vector<std::string> excluded_addresses = {};
  // True if browsers' views count only for articles that the portal announced.
  bool announced_articles_only = false;
  // True if pages may bring a random number that distinguishes viewers with one address and equal browsers.
  bool session_viewers = false;
  // How long the views of hours and of days are kept, in days. 0 keeps days for ever. See viewcount.v1.Site.
  uint32_t hours_kept_days = kHoursKeptDaysMin;
  uint32_t days_kept_days = 0;
  // The smaller values of hours_kept_days before, ordered by time and by value; see retention.h.
  std::vector<EarlierHoursKept> earlier_hours_kept = {};
  // Days before this one may have been removed while days_kept_days had another value; see DayNumber. 0 for none.
  uint32_t first_kept_day = 0;
  // True if the site's dashboard is at the public address.
  bool public_reads = false;
  // True if the site's pages may announce themselves.
  bool page_announcements = false;
  // The patterns by which the site recognises bots and people.
  AgentRuleSettings agents = {};
  // The rule by which addresses name articles.
  ArticleRuleSettings articles = {};
  // The time zones before, ordered by time; see DayZones.
  std::vector<EarlierZone> earlier_zones = {};

  bool operator==(const SiteSettings&) const = default;
};

// Returns the settings with defaults filled in and lists sorted. Returns INVALID_ARGUMENT that names the invalid field
// of viewcount.v1.Site. MakeSite checks whether the time zone exists. Pure function; thread-safe.
absl::StatusOr<SiteSettings> CheckedSettings(SiteSettings settings);

// Returns the settings as one line: the time zone, then the origins, then the settings with names, separated by spaces.
// None of these contains a space, since spaces of agents' patterns are escaped. So a time zone alone is a valid line,
// like all lines of versions that had no other settings. Pure functions; thread-safe.
std::string EncodeSettings(const SiteSettings& settings);
// Parses any line. MakeSite checks whether the result can be used.
SiteSettings ParseSettings(std::string_view line);

// Returns the size of the settings' lists in a journal, in bytes.
size_t ListBytesOf(const SiteSettings& settings);

}  // namespace viewcount
