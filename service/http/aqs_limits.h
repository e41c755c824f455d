// The limits of the routes for clients of the Wikimedia Analytics Query Service.
#pragma once

#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"

namespace viewcount {

// The length of a span in months. Longer ones are refused.
inline constexpr int64_t kAqsMonthsMax = 240;
// The months that one question to QueryApi covers. A site's days are 64 reads each.
inline constexpr int64_t kAqsMonthsAtOnce = 24;
static_assert(kAqsMonthsAtOnce * 31 <= static_cast<int64_t>(limits::kSeriesPointsMax));
// The number of articles in a list, as AQS has it.
inline constexpr uint32_t kAqsTopMax = 1'000;
static_assert(kAqsTopMax <= limits::kPageSizeMax);
// The part of a path that an error repeats, in bytes.
inline constexpr size_t kAqsQuotedPathBytesMax = 1'000;

}  // namespace viewcount
