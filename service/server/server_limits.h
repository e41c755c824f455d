// Limits of the process as a whole.
#pragma once

#include <chrono>

namespace viewcount::limits {

// How long a start waits for a store that is away before it takes views without it. Longer: fewer starts that cannot
// answer questions at first; more views that nobody takes.
inline constexpr std::chrono::milliseconds kStartStoreWait{1'000};
// The same for the embedded Redis, which is on its way: a load balancer that sees the ports open sends questions, too.
inline constexpr std::chrono::milliseconds kStartEmbeddedWait{10'000};

}  // namespace viewcount::limits
