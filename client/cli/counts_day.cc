#include "client/cli/counts_day.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>

namespace viewcount::cli {
namespace {

constexpr size_t kDayLength = 10;
constexpr size_t kHourLength = 13;

// Returns the number that `length` digits make, or nothing if there is another character.
std::optional<int> DigitsAt(std::string_view text, size_t at, size_t length) {
  int number = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<absl::CivilDay> CivilDayOf(std::string_view text) {
  if (text.size() != kDayLength || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = DigitsAt(text, 0, 4), month = DigitsAt(text, 5, 2), day = DigitsAt(text, 8, 2);
  if (!year || !month || !day || *year < 1970) return std::nullopt;
  const absl::CivilDay civil(*year, *month, *day);
  // Other days were changed to one that exists.
  if (civil.year() != *year || civil.month() != *month || civil.day() != *day) return std::nullopt;
  return civil;
}

}  // namespace

std::optional<uint32_t> ParseCountsDay(std::string_view text) {
  const auto day = CivilDayOf(text);
  if (!day) return std::nullopt;
  return static_cast<uint32_t>(day->year() * 10'000 + day->month() * 100 + day->day());
}

std::string CountsDayText(uint32_t day) {
  return fmt::format("{:04}-{:02}-{:02}", day / 10'000, day / 100 % 100, day % 100);
}

std::optional<uint32_t> ParseCountsHour(std::string_view text) {
  if (text.size() != kHourLength || text[kDayLength] != 'T') return std::nullopt;
  const auto day = CivilDayOf(text.substr(0, kDayLength));
  const auto hour = DigitsAt(text, kDayLength + 1, 2);
  if (!day || !hour || *hour > 23) return std::nullopt;
  return static_cast<uint32_t>(24 * (*day - absl::CivilDay(1970, 1, 1)) + *hour);
}

std::string CountsHourText(uint32_t hour) {
  const absl::CivilHour civil = absl::CivilHour(1970, 1, 1) + hour;
  return fmt::format("{:04}-{:02}-{:02}T{:02}", civil.year(), civil.month(), civil.day(), civil.hour());
}

}  // namespace viewcount::cli
