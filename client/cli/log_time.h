// Parses the times of access logs. All functions return the milliseconds since 1970-01-01 UTC, at least 1, because a
// view's 0 means "on receipt". They return nothing for a time that does not exist, such as 30 February, hour 24, or a
// zone beyond 14 hours. A time outside the years 1970 to 9999 in UTC is
// treated like that. Second 60, a leap second, is taken as the
// first second of the next minute. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viewcount::cli {

inline constexpr size_t kLogTimeSize = 26;

// Parses the time of the common format: `17/May/2015:10:05:03 +0000`.
std::optional<int64_t> ParseLogTime(std::string_view text);

// Parses a time of ISO 8601: `2015-05-17T10:05:03`, perhaps with a fraction of a second, then `Z`, an offset such as
// +07:00 or +0700, or nothing for UTC. A blank may stand in place of the T.
std::optional<int64_t> ParseIsoTime(std::string_view text);

// Parses seconds since 1970 with or without a fraction: `1431857103.250`.
std::optional<int64_t> ParseUnixTime(std::string_view text);

// Converts seconds since 1970.
std::optional<int64_t> TimeOfUnixSeconds(double seconds);

}  // namespace viewcount::cli
