// The time in an access log: `17/May/2015:10:05:03 +0000`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viewcount::cli {

inline constexpr size_t kLogTimeSize = 26;

// Milliseconds since 1970-01-01 UTC, at least 1 (a view's 0 means "on receipt"). Nothing for a time that does not
// exist (a 30th of February, hour 24, a zone beyond 14 hours) or lies outside the years 1970 to 9999 in UTC. Second 60,
// a leap second, is the first of the next minute. Thread safe.
std::optional<int64_t> ParseLogTime(std::string_view text);

}  // namespace viewcount::cli
