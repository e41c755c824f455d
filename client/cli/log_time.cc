#include "client/cli/log_time.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr unsigned kZoneHoursMax = 14;

// Returns the digits of `text` as a number, or nothing if a character is not a digit.
std::optional<unsigned> Number(std::string_view text) {
  unsigned value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

// Parses `dd/Mon/yyyy`.
std::optional<std::chrono::sys_days> Date(std::string_view text) {
  const auto day = Number(text.substr(0, 2));
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(3, 3));
  const auto year = Number(text.substr(7, 4));
  if (!day || !year || month == kMonths.end() || text[2] != '/' || text[6] != '/') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Parses `hh:mm:ss`.
std::optional<std::chrono::seconds> TimeOfDay(std::string_view text) {
  const auto hour = Number(text.substr(0, 2));
  const auto minute = Number(text.substr(3, 2));
  const auto second = Number(text.substr(6, 2));
  if (!hour || !minute || !second || text[2] != ':' || text[5] != ':') return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

// Parses `+hhmm`, the offset of local time from UTC. The offset is positive east of Greenwich.
std::optional<std::chrono::minutes> Zone(std::string_view text) {
  const auto hours = Number(text.substr(1, 2));
  const auto minutes = Number(text.substr(3, 2));
  if (!hours || !minutes || *hours > kZoneHoursMax || *minutes > 59 || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const auto ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text[0] == '-' ? -ahead : ahead;
}

// Parses `yyyy-mm-dd`.
std::optional<std::chrono::sys_days> IsoDate(std::string_view text) {
  const auto year = Number(text.substr(0, 4));
  const auto month = Number(text.substr(5, 2));
  const auto day = Number(text.substr(8, 2));
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Removes a fraction of a second from the front of `rest`. Returns its milliseconds, or nothing if it has no digits.
std::optional<std::chrono::milliseconds> TakeFraction(std::string_view& rest) {
  if (rest.empty() || (rest[0] != '.' && rest[0] != ',')) return std::chrono::milliseconds(0);
  const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
  if (end == 1) return std::nullopt;
  unsigned millis = 0;
  for (size_t i = 1; i <= 3; ++i) millis = millis * 10 + (i < end ? static_cast<unsigned>(rest[i] - '0') : 0);
  rest.remove_prefix(end);
  return std::chrono::milliseconds(millis);
}

// Parses `Z`, `+hhmm`, `+hh:mm`, or nothing.
std::optional<std::chrono::minutes> IsoZone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return std::chrono::minutes(0);
  if (text.size() == 5) return Zone(text);
  if (text.size() != 6 || text[3] != ':') return std::nullopt;
  const std::array<char, 5> digits = {text[0], text[1], text[2], text[4], text[5]};
  return Zone({digits.data(), digits.size()});
}

std::optional<int64_t> WithinLimits(int64_t millis) {
  if (millis < 0 || millis > limits::kEventTimeUnixMsMax) return std::nullopt;
  return std::max<int64_t>(millis, 1);
}

}  // namespace

std::optional<int64_t> ParseLogTime(std::string_view text) {
  if (text.size() != kLogTimeSize || text[11] != ':' || text[20] != ' ') return std::nullopt;
  const auto date = Date(text.substr(0, 11));
  const auto time = TimeOfDay(text.substr(12, 8));
  const auto zone = Zone(text.substr(21));
  if (!date || !time || !zone) return std::nullopt;
  const auto since = (*date + *time - *zone).time_since_epoch();
  return WithinLimits(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::optional<int64_t> ParseIsoTime(std::string_view text) {
  constexpr size_t kTimeAt = 11, kRestAt = 19;
  if (text.size() < kRestAt || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
  const auto date = IsoDate(text.substr(0, 10));
  const auto time = TimeOfDay(text.substr(kTimeAt, 8));
  auto rest = text.substr(kRestAt);
  const auto fraction = TakeFraction(rest);
  const auto zone = IsoZone(rest);
  if (!date || !time || !fraction || !zone) return std::nullopt;
  const auto since = (*date + *time - *zone + *fraction).time_since_epoch();
  return WithinLimits(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::optional<int64_t> ParseUnixTime(std::string_view text) {
  auto rest = text;
  const size_t end = std::min(rest.find('.'), rest.size());
  // Twelve digits reach beyond the year 9999 and do not overflow.
  if (end == 0 || end > 12) return std::nullopt;
  int64_t seconds = 0;
  for (const char c : rest.substr(0, end)) {
    if (c < '0' || c > '9') return std::nullopt;
    seconds = seconds * 10 + (c - '0');
  }
  rest.remove_prefix(end);
  const auto fraction = TakeFraction(rest);
  if (!fraction || !rest.empty()) return std::nullopt;
  return WithinLimits(seconds * 1'000 + fraction->count());
}

std::optional<int64_t> TimeOfUnixSeconds(double seconds) {
  const double millis = seconds * 1'000;
  // The comparison is also false for a value that is no number.
  if (!(millis >= 0 && millis <= static_cast<double>(limits::kEventTimeUnixMsMax))) return std::nullopt;
  return WithinLimits(static_cast<int64_t>(millis));
}

}  // namespace viewcount::cli
