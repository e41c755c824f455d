// Days and hours in files of counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount::cli {

// Parses a day such as 2026-11-22, from 1970 to 9999, and returns its number, such as 20261122. Returns nothing for any
// other text. DayText is the opposite. All functions here are pure.
std::optional<uint32_t> ParseCountsDay(std::string_view text);
std::string CountsDayText(uint32_t day);
// Parses an hour of UTC such as 2026-11-22T13, and returns its number of hours since 1970.
std::optional<uint32_t> ParseCountsHour(std::string_view text);
std::string CountsHourText(uint32_t hour);

}  // namespace viewcount::cli
