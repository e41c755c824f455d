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

}  // namespace

std::optional<int64_t> ParseLogTime(std::string_view text) {
  if (text.size() != kLogTimeSize || text[11] != ':' || text[20] != ' ') return std::nullopt;
  const auto date = Date(text.substr(0, 11));
  const auto time = TimeOfDay(text.substr(12, 8));
  const auto zone = Zone(text.substr(21));
  if (!date || !time || !zone) return std::nullopt;
  const auto since = (*date + *time - *zone).time_since_epoch();
  const int64_t millis = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  if (millis < 0 || millis > limits::kEventTimeUnixMsMax) return std::nullopt;
  return std::max<int64_t>(millis, 1);
}

}  // namespace viewcount::cli
