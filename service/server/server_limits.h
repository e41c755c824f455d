// Limits of the process as a whole.
#pragma once

#include <chrono>

namespace viewcount::limits {

// How long a start waits for an unavailable store before it takes views without it. A longer wait means fewer starts
// that cannot answer queries at first, but more views that are refused meanwhile.
inline constexpr std::chrono::milliseconds kStartStoreWait{1'000};
// The wait for the embedded Redis, which this process has just started. It is longer, because a load balancer that sees
// open ports sends queries, too.
inline constexpr std::chrono::milliseconds kStartEmbeddedWait{10'000};

}  // namespace viewcount::limits
