// Maxima and intervals of the connections to Redis. Limits that other folders share are in base/limits.h.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/limits.h"

namespace viewcount::limits {

// How often a connected store is examined: role, identity, eviction, persistence, data set. With a longer interval a
// change is noticed later. One examination costs Redis a fraction of a millisecond.
inline constexpr std::chrono::milliseconds kStoreLookInterval{10'000};
// The loss of vc:meta must be noticed at least as often as the loss of a cursor.
static_assert(kStoreLookInterval <= kStoreCheckInterval);
// The number of addresses of one host's name that are tried. Each one that does not answer takes kStoreConnectTimeout.
inline constexpr size_t kStoreAddressesMax = 16;
// The number of words of one command that a script may pass on. Lua's stack holds 8,000.
inline constexpr size_t kScriptCommandWordsMax = 4'000;

}  // namespace viewcount::limits
