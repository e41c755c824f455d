#include "client/cli/feed_time.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

namespace viewcount::cli {
namespace {

constexpr int kYearMin = 1970;
constexpr int kZoneHoursMax = 14;

// Removes a number of `digits_min` to `digits_max` digits from the front.
std::optional<int> TakeNumber(std::string_view& rest, size_t digits_min, size_t digits_max) {
  size_t digits = 0;
  int value = 0;
  while (digits < std::min(digits_max, rest.size()) && rest[digits] >= '0' && rest[digits] <= '9') {
    value = value * 10 + (rest[digits++] - '0');
  }
  if (digits < digits_min) return std::nullopt;
  rest.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

void SkipBlanks(std::string_view& rest) { rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size())); }

std::string_view TakeLetters(std::string_view& rest) {
  size_t size = 0;
  while (size < rest.size() && ((rest[size] | 0x20) >= 'a' && (rest[size] | 0x20) <= 'z')) ++size;
  const auto letters = rest.substr(0, size);
  rest.remove_prefix(size);
  return letters;
}

// A day and a time of day, before their ranges are checked.
struct Moment {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// Parses `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`.
bool TakeTimeOfDay(std::string_view& rest, Moment& moment) {
  const auto hour = TakeNumber(rest, 1, 2);
  if (!hour || !Take(rest, ':')) return false;
  const auto minute = TakeNumber(rest, 2, 2);
  if (!minute) return false;
  moment.hour = *hour;
  moment.minute = *minute;
  if (!Take(rest, ':')) return true;
  const auto second = TakeNumber(rest, 2, 2);
  if (!second) return false;
  moment.second = *second;
  if (Take(rest, '.')) {
    if (!TakeNumber(rest, 1, 9)) return false;
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  }
  return true;
}

// Parses the zone at the end of a time. Returns nothing if it is none.
std::optional<absl::TimeZone> ZoneOf(std::string_view text, const absl::TimeZone& zone) {
  if (text.empty()) return zone;
  // The names of RFC 822. Military zones other than Z are ambiguous, so they are refused.
  constexpr std::pair<std::string_view, int> kNames[] = {{"Z", 0},    {"UT", 0},   {"UTC", 0},  {"GMT", 0},
                                                         {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                                                         {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
  for (const auto& [name, hours] : kNames) {
    if (absl::EqualsIgnoreCase({text.data(), text.size()}, {name.data(), name.size()})) {
      return absl::FixedTimeZone(hours * 3'600);
    }
  }
  const bool negative = text.starts_with('-');
  if (!negative && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = TakeNumber(text, 2, 2);
  Take(text, ':');
  const auto minutes = text.empty() ? 0 : TakeNumber(text, 2, 2);
  if (!hours || !minutes || !text.empty() || *hours > kZoneHoursMax || *minutes > 59) return std::nullopt;
  const int seconds = *hours * 3'600 + *minutes * 60;
  return absl::FixedTimeZone(negative ? -seconds : seconds);
}

std::optional<absl::Time> TimeOf(const Moment& moment, std::string_view zone_text, const absl::TimeZone& zone) {
  SkipBlanks(zone_text);
  const auto of = ZoneOf(zone_text, zone);
  if (!of || moment.year < kYearMin || moment.hour > 23 || moment.minute > 59 || moment.second > 60) {
    return std::nullopt;
  }
  const absl::CivilDay day(moment.year, moment.month, moment.day);
  // A day that does not exist would become another one.
  if (day.month() != moment.month || day.day() != moment.day) return std::nullopt;
  const absl::Time time = absl::FromCivil(
      absl::CivilSecond(day.year(), day.month(), day.day(), moment.hour, moment.minute, moment.second), *of);
  if (time < absl::UnixEpoch() || time >= absl::FromCivil(absl::CivilDay(10'000, 1, 1), absl::UTCTimeZone())) {
    return std::nullopt;
  }
  return time;
}

// Parses a time such as `2026-11-30T07:00:00+07:00`.
std::optional<absl::Time> IsoTime(std::string_view text, const absl::TimeZone& zone) {
  Moment moment;
  const auto year = TakeNumber(text, 4, 4);
  const bool year_ends = Take(text, '-');
  const auto month = TakeNumber(text, 2, 2);
  const bool month_ends = Take(text, '-');
  const auto day = TakeNumber(text, 2, 2);
  if (!year || !year_ends || !month || !month_ends || !day) return std::nullopt;
  moment.year = *year;
  moment.month = *month;
  moment.day = *day;
  if (text.empty()) return TimeOf(moment, "", zone);
  if (!Take(text, 'T') && !Take(text, 't') && !Take(text, ' ')) return std::nullopt;
  return TakeTimeOfDay(text, moment) ? TimeOf(moment, text, zone) : std::nullopt;
}

// Parses a time such as `Mon, 30 Nov 2026 07:00:00 +0700`, whose beginning may be missing.
std::optional<absl::Time> MailTime(std::string_view text, const absl::TimeZone& zone) {
  constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
  TakeLetters(text);
  Take(text, ',');
  SkipBlanks(text);
  Moment moment;
  const auto day = TakeNumber(text, 1, 2);
  SkipBlanks(text);
  const auto name = TakeLetters(text).substr(0, 3);
  const auto* const month = std::ranges::find_if(kMonths, [&](std::string_view known) {
    return absl::EqualsIgnoreCase({known.data(), known.size()}, {name.data(), name.size()});
  });
  SkipBlanks(text);
  const auto year = TakeNumber(text, 2, 4);
  if (!day || month == std::end(kMonths) || !year) return std::nullopt;
  moment.day = *day;
  moment.month = static_cast<int>(month - std::begin(kMonths)) + 1;
  // Years of two digits: RFC 2822, section 4.3.
  moment.year = *year < 50 ? *year + 2'000 : *year < 1'000 ? *year + 1'900 : *year;
  SkipBlanks(text);
  if (text.empty()) return TimeOf(moment, "", zone);
  return TakeTimeOfDay(text, moment) ? TimeOf(moment, text, zone) : std::nullopt;
}

}  // namespace

std::optional<absl::Time> ParseFeedTime(std::string_view text, const absl::TimeZone& zone) {
  SkipBlanks(text);
  const bool is_iso = text.size() >= 5 && text[4] == '-';
  return is_iso ? IsoTime(text, zone) : MailTime(text, zone);
}

}  // namespace viewcount::cli
