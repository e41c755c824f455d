// The times of feeds and sitemaps.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string_view>

namespace viewcount::cli {

// Parses a time of RSS, such as `Mon, 30 Nov 2026 07:00:00 +0700`, or of W3C-DTF, such as `2026-11-30T07:00:00+07:00`
// and `2026-11-30`. A time without a zone is one of `zone`, and a day is its first moment there. Returns nothing for
// another text, and for a time outside the years 1970 to 9999. Pure function; thread-safe.
std::optional<absl::Time> ParseFeedTime(std::string_view text, const absl::TimeZone& zone);

}  // namespace viewcount::cli
