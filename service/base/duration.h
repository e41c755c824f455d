// Durations as people write them: 500ms, 90s, 30m, 12h, 7d. Pure functions; thread safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

// A whole number, not below 0, with its unit; nothing for any other text, or one above 1,000,000,000 units.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// The shortest text that ParseDuration reads as this.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace viewcount
