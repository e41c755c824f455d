// Parses the time of an access log, such as `17/May/2015:10:05:03 +0000`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viewcount::cli {

inline constexpr size_t kLogTimeSize = 26;

// Returns the milliseconds since 1970-01-01 UTC, at least 1, because a view's 0 means "on receipt". Returns nothing for
// a time that does not exist, such as 30 February, hour 24, or a zone beyond 14 hours. Returns nothing for a time
// outside the years 1970 to 9999 in UTC. Second 60, a leap second, is taken as the first second of the next minute.
// Thread-safe.
std::optional<int64_t> ParseLogTime(std::string_view text);

}  // namespace viewcount::cli
