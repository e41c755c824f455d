#include "service/sites/site_settings.h"

#include <absl/strings/str_replace.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/origins.h"

namespace viewcount {
namespace {

// These prefixes are unambiguous: no origin contains an equals sign, and the time zone is always first.
constexpr std::string_view kCoolDown = "cool-down=";
constexpr std::string_view kExclude = "exclude=";
constexpr std::string_view kAnnouncedOnly = "articles=announced";
constexpr std::string_view kSessionViewers = "viewers=sessions";
// Followed by a number of days.
constexpr std::string_view kHoursKept = "hours-kept=";
constexpr std::string_view kDaysKept = "days-kept=";
// Followed by the moment of the change in Unix milliseconds, a slash and the number of days before.
constexpr std::string_view kHoursKeptUntil = "hours-kept-until=";
// Followed by a day in the form of DayNumber.
constexpr std::string_view kFirstKeptDay = "days-kept-from=";
constexpr std::string_view kPublicReads = "reads=public";
constexpr std::string_view kPageAnnouncements = "announcements=pages";
// Followed by the moment of the change in Unix milliseconds, a slash and the zone.
constexpr std::string_view kEarlierZone = "until=";

// The lists and the switches of the rule for addresses. No entry of the lists contains a space.
struct RuleList {
  std::string_view prefix;
  std::vector<std::string> ArticleRuleSettings::*entries;
};
constexpr std::array<RuleList, 5> kRuleLists = {{{"parameter=", &ArticleRuleSettings::parameters},
                                                 {"index=", &ArticleRuleSettings::index_names},
                                                 {"exclude-path=", &ArticleRuleSettings::excluded_paths},
                                                 {"static=", &ArticleRuleSettings::static_extensions},
                                                 {"page=", &ArticleRuleSettings::page_extensions}}};
struct RuleSwitch {
  std::string_view word;
  bool ArticleRuleSettings::*on;
};
constexpr std::array<RuleSwitch, 4> kRuleSwitches = {
    {{"query=dropped", &ArticleRuleSettings::drop_query},
     {"case=folded", &ArticleRuleSettings::fold_case},
     {"slash=stripped", &ArticleRuleSettings::strip_trailing_slash},
     {"well-known-paths=counted", &ArticleRuleSettings::count_well_known_paths}}};

// The lists of the rule for agents. Their entries are escaped, because they may contain spaces.
struct AgentList {
  std::string_view prefix;
  std::vector<std::string> AgentRuleSettings::*entries;
};
constexpr std::array<AgentList, 2> kAgentLists = {
    {{"bot-agent=", &AgentRuleSettings::bots}, {"person-agent=", &AgentRuleSettings::people}}};

// Writes a space as %20 and % itself as %25.
std::string Escaped(std::string_view entry) { return absl::StrReplaceAll(ToAbsl(entry), {{"%", "%25"}, {" ", "%20"}}); }

std::string Unescaped(std::string_view word) { return absl::StrReplaceAll(ToAbsl(word), {{"%25", "%"}, {"%20", " "}}); }

// Reads a word of the rule for agents. Returns false if it is none.
bool ReadAgentWord(std::string_view word, AgentRuleSettings& rule) {
  for (const AgentList& list : kAgentLists) {
    if (!word.starts_with(list.prefix)) continue;
    (rule.*list.entries).push_back(Unescaped(word.substr(list.prefix.size())));
    return true;
  }
  return false;
}

// Reads a word of the rule. Returns false if it is none.
bool ReadRuleWord(std::string_view word, ArticleRuleSettings& rule) {
  for (const RuleList& list : kRuleLists) {
    if (!word.starts_with(list.prefix)) continue;
    (rule.*list.entries).emplace_back(word.substr(list.prefix.size()));
    return true;
  }
  for (const RuleSwitch& known : kRuleSwitches) {
    if (word == known.word) return rule.*known.on = true;
  }
  return false;
}

// Removes `name` from the front of `word`. Returns false if `word` does not begin with it.
bool TakeName(std::string_view name, std::string_view& word) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  return true;
}

// Returns `invalid` if `text` is not a number.
template <typename Number>
Number ParseNumber(std::string_view text, Number invalid) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size() ? number : invalid;
}

// Returns a zone that cannot be loaded if the word has another form.
EarlierZone ParseEarlierZone(std::string_view word) {
  EarlierZone zone;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), zone.until_unix_ms);
  const auto digits = static_cast<size_t>(stop - word.data());
  if (error == std::errc() && word.substr(digits).starts_with('/')) zone.time_zone = word.substr(digits + 1);
  return zone;
}

// Returns an invalid value if the word has another form.
EarlierHoursKept ParseEarlierHoursKept(std::string_view word) {
  const size_t slash = word.find('/');
  if (slash == std::string_view::npos) return {};
  return {.days = ParseNumber<uint32_t>(word.substr(slash + 1), 0),
          .until_unix_ms = ParseNumber<int64_t>(word.substr(0, slash), -1)};
}

std::string WordOf(const EarlierHoursKept& earlier) {
  return fmt::format("{}{}/{}", kHoursKeptUntil, earlier.until_unix_ms, earlier.days);
}

// Returns whether the earlier values are ordered and in range.
bool AreValid(const std::vector<EarlierHoursKept>& values) {
  EarlierHoursKept before;
  for (const EarlierHoursKept& value : values) {
    if (value.days < kHoursKeptDaysMin || value.days > kHoursKeptDaysMax) return false;
    if (value.until_unix_ms <= before.until_unix_ms || value.until_unix_ms > limits::kEventTimeUnixMsMax) return false;
    before = value;
  }
  return values.size() <= kEarlierHoursKeptMax;
}

std::string WordOf(const EarlierZone& zone) {
  return fmt::format("{}{}/{}", kEarlierZone, zone.until_unix_ms, zone.time_zone);
}

}  // namespace

absl::StatusOr<SiteSettings> CheckedSettings(SiteSettings settings) {
  if (settings.time_zone.empty()) settings.time_zone = "UTC";
  // The time zone is written as one word, whatever file the system may find under that name.
  if (!std::ranges::all_of(settings.time_zone, [](char c) { return c > ' ' && c <= '~'; })) {
    return InvalidField("site.time_zone", "must be an IANA name such as Asia/Ho_Chi_Minh");
  }
  for (size_t i = 0; i < settings.earlier_zones.size(); ++i) {
    const EarlierZone& zone = settings.earlier_zones[i];
    const bool ordered = i == 0 || settings.earlier_zones[i - 1].until_unix_ms < zone.until_unix_ms;
    if (ordered && i < kEarlierZonesMax && !zone.time_zone.empty()) continue;
    return InvalidField("site.time_zone", fmt::format("may be changed {} times", kEarlierZonesMax));
  }
  auto origins = NormalizedOrigins(settings.allowed_origins);
  if (!origins.ok()) return origins.status();
  settings.allowed_origins = *std::move(origins);
  if (settings.cool_down < std::chrono::seconds(0) || settings.cool_down > limits::kCoolDownMax) {
    return InvalidField("site.cool_down", fmt::format("must be 0 to {} seconds", limits::kCoolDownMax.count()));
  }
  if (settings.hours_kept_days < kHoursKeptDaysMin || settings.hours_kept_days > kHoursKeptDaysMax) {
    return InvalidField("site.hours_kept",
                        fmt::format("must be {} to {} whole days", kHoursKeptDaysMin, kHoursKeptDaysMax));
  }
  if (!AreValid(settings.earlier_hours_kept)) {
    return InvalidField("site.hours_kept", fmt::format("has earlier values that are not {} to {} days in order of time",
                                                       kHoursKeptDaysMin, kHoursKeptDaysMax));
  }
  const uint32_t days_kept = settings.days_kept_days;
  if (days_kept != 0 && (days_kept < kDaysKeptDaysMin || days_kept > kDaysKeptDaysMax)) {
    return InvalidField("site.days_kept", fmt::format("must be {} to {} whole days, or unset to keep days for ever",
                                                      kDaysKeptDaysMin, kDaysKeptDaysMax));
  }
  if (days_kept != 0 && days_kept < settings.hours_kept_days) {
    return InvalidField("site.days_kept",
                        fmt::format("must be at least hours_kept, {} days", settings.hours_kept_days));
  }
  if (settings.page_announcements && settings.allowed_origins.empty()) {
    return InvalidField("site.page_announcements",
                        "needs allowed_origins, since any page could announce articles otherwise");
  }
  if (settings.excluded_addresses.size() > limits::kSiteExcludedAddressesMax) {
    return InvalidField("site.excluded_addresses",
                        fmt::format("must be at most {}", limits::kSiteExcludedAddressesMax));
  }
  if (auto ranges = AddressRanges::Parse(settings.excluded_addresses); !ranges.ok()) {
    return InvalidField("site.excluded_addresses", ToStd(ranges.status().message()));
  }
  std::ranges::sort(settings.excluded_addresses);
  const auto again = std::ranges::unique(settings.excluded_addresses);
  settings.excluded_addresses.erase(again.begin(), again.end());
  return settings;
}

std::string EncodeSettings(const SiteSettings& settings) {
  std::string line = settings.time_zone;
  for (const std::string& origin : settings.allowed_origins) line += " " + origin;
  if (settings.cool_down.count() != 0) line += fmt::format(" {}{}", kCoolDown, settings.cool_down.count());
  for (const std::string& range : settings.excluded_addresses) line += fmt::format(" {}{}", kExclude, range);
  if (settings.announced_articles_only) line.append(" ").append(kAnnouncedOnly);
  if (settings.session_viewers) line.append(" ").append(kSessionViewers);
  if (settings.hours_kept_days != kHoursKeptDaysMin) line += fmt::format(" {}{}", kHoursKept, settings.hours_kept_days);
  if (settings.days_kept_days != 0) line += fmt::format(" {}{}", kDaysKept, settings.days_kept_days);
  for (const EarlierHoursKept& earlier : settings.earlier_hours_kept) line += " " + WordOf(earlier);
  if (settings.first_kept_day != 0) line += fmt::format(" {}{}", kFirstKeptDay, settings.first_kept_day);
  if (settings.public_reads) line.append(" ").append(kPublicReads);
  if (settings.page_announcements) line.append(" ").append(kPageAnnouncements);
  for (const EarlierZone& zone : settings.earlier_zones) line += " " + WordOf(zone);
  for (const AgentList& list : kAgentLists) {
    for (const std::string& entry : settings.agents.*list.entries) {
      line += fmt::format(" {}{}", list.prefix, Escaped(entry));
    }
  }
  for (const RuleList& list : kRuleLists) {
    for (const std::string& entry : settings.articles.*list.entries) line += fmt::format(" {}{}", list.prefix, entry);
  }
  for (const RuleSwitch& known : kRuleSwitches) {
    if (settings.articles.*known.on) line.append(" ").append(known.word);
  }
  return line;
}

SiteSettings ParseSettings(std::string_view line) {
  size_t space = line.find(' ');
  SiteSettings settings{.time_zone = std::string(line.substr(0, space))};
  while (space != std::string_view::npos) {
    line.remove_prefix(space + 1);
    space = line.find(' ');
    std::string_view word = line.substr(0, space);
    if (TakeName(kCoolDown, word)) {
      settings.cool_down = std::chrono::seconds(ParseNumber<int64_t>(word, -1));
    } else if (TakeName(kHoursKept, word)) {
      settings.hours_kept_days = ParseNumber<uint32_t>(word, 0);
    } else if (TakeName(kHoursKeptUntil, word)) {
      settings.earlier_hours_kept.push_back(ParseEarlierHoursKept(word));
    } else if (TakeName(kFirstKeptDay, word)) {
      settings.first_kept_day = ParseNumber<uint32_t>(word, 0);
    } else if (TakeName(kDaysKept, word)) {
      settings.days_kept_days = ParseNumber<uint32_t>(word, 1);
    } else if (TakeName(kExclude, word)) {
      settings.excluded_addresses.emplace_back(word);
    } else if (TakeName(kEarlierZone, word)) {
      settings.earlier_zones.push_back(ParseEarlierZone(word));
    } else if (word == kAnnouncedOnly) {
      settings.announced_articles_only = true;
    } else if (word == kSessionViewers) {
      settings.session_viewers = true;
    } else if (word == kPublicReads) {
      settings.public_reads = true;
    } else if (word == kPageAnnouncements) {
      settings.page_announcements = true;
    } else if (!ReadAgentWord(word, settings.agents) && !ReadRuleWord(word, settings.articles)) {
      settings.allowed_origins.emplace_back(word);
    }
  }
  return settings;
}

size_t ListBytesOf(const SiteSettings& settings) {
  size_t bytes = 0;
  for (const std::string& origin : settings.allowed_origins) bytes += origin.size() + 1;
  for (const std::string& range : settings.excluded_addresses) bytes += kExclude.size() + range.size() + 1;
  for (const EarlierZone& zone : settings.earlier_zones) bytes += WordOf(zone).size() + 1;
  for (const EarlierHoursKept& earlier : settings.earlier_hours_kept) bytes += WordOf(earlier).size() + 1;
  for (const AgentList& list : kAgentLists) {
    for (const std::string& entry : settings.agents.*list.entries) {
      bytes += list.prefix.size() + Escaped(entry).size() + 1;
    }
  }
  for (const RuleList& list : kRuleLists) {
    for (const std::string& entry : settings.articles.*list.entries) bytes += list.prefix.size() + entry.size() + 1;
  }
  return bytes;
}

}  // namespace viewcount
