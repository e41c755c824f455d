// Durations as people write them: 500ms, 90s, 30m, 12h, 7d. These are pure functions, so they are thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace viewcount {

// Parses a whole number, not below 0, and its unit. Returns nothing for any other text, and for more than 1,000,000,000
// units.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// Returns the shortest text that ParseDuration reads as `duration`.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace viewcount
