// What one client may have of the gRPC port.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"

namespace viewcount::limits {

inline constexpr size_t kHttp2ConnectionsMax = 10'000;
// What a peer may send ahead of what is taken from a stream, and from all of a connection's. Some milliseconds of a
// fast network, so that a sender never waits for the window alone.
inline constexpr uint32_t kHttp2StreamWindowBytes = 4 << 20;
inline constexpr int32_t kHttp2ConnectionWindowBytes = 16 << 20;
// Of one frame that comes: a whole batch of views fits. Frames are never held; what comes of them is read at once.
inline constexpr uint32_t kHttp2FrameBytesMax = 1 << 20;
inline constexpr uint32_t kHttp2HeaderBytesMax = 16 << 10;
// After which a peer that takes nothing of what is sent to it is given up.
inline constexpr std::chrono::seconds kHttp2StallMax{30};
// For connections to be closed at the end, which waits for nobody.
inline constexpr std::chrono::milliseconds kHttp2CloseWait{500};

static_assert(kHttp2StreamWindowBytes <= kHttp2ConnectionWindowBytes);
static_assert(kHttp2ConnectionWindowBytes < kGrpcMemoryBytesMax);

}  // namespace viewcount::limits
