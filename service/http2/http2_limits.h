// What one client may have of the gRPC port.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"

namespace viewcount::limits {

inline constexpr size_t kHttp2ConnectionsMax = 10'000;
// From one address, which may be a machine with a process for each request. IPv6 addresses count by their /64.
inline constexpr size_t kHttp2ConnectionsPerAddressMax = 4'000;
// In which a new peer must begin to speak HTTP/2.
inline constexpr std::chrono::seconds kHttp2GreetingMax{10};
// Between two looks at peers that say nothing, and after how many of them a peer gets a PING.
inline constexpr std::chrono::seconds kHttp2PeerCheckInterval{5};
inline constexpr int kHttp2SilentChecksMax = 12;
// What a peer may send ahead of what is taken from a stream, and from all of a connection's. Some milliseconds of a
// fast network, so that a sender never waits for the window alone.
inline constexpr uint32_t kHttp2StreamWindowBytes = 4 << 20;
inline constexpr int32_t kHttp2ConnectionWindowBytes = 16 << 20;
// Of one frame that comes: a whole batch of views fits. Frames are never held; what comes of them is read at once.
inline constexpr uint32_t kHttp2FrameBytesMax = 1 << 20;
inline constexpr uint32_t kHttp2HeaderBytesMax = 16 << 10;
// Of answers that wait for the peer: with more, a call's next request waits, too.
inline constexpr size_t kHttp2AnswerBytesMax = 64 << 10;
// A status travels in headers, of which gRPC's clients take 8 KiB; in a text each byte may become three.
inline constexpr size_t kGrpcStatusTextBytesMax = 1 << 10;
inline constexpr size_t kGrpcStatusDetailsBytesMax = 3 << 10;
// Calls that a peer may cancel, at once and then each second. Clients whose calls all run out of time do; whoever goes
// on begins calls only to cancel them (CVE-2023-44487).
inline constexpr uint64_t kHttp2ResetsMax = kGrpcStreamsPerConnectionMax;
inline constexpr uint64_t kHttp2ResetsPerSecond = 1'000;
// Calls handed on to gRPC, of all connections; a cancelled one takes a while to end there.
inline constexpr size_t kGrpcForwardedCallsMax = 50'000;
// Of these, calls of one connection whose caller has gone while gRPC still works on them. Each takes some 16 KiB.
inline constexpr size_t kGrpcAbandonedCallsMax = 1'000;
// After which a peer that takes nothing of what is sent to it is given up.
inline constexpr std::chrono::seconds kHttp2StallMax{30};
// A peer that is asked to begin no more calls has so long to answer that it knows.
inline constexpr std::chrono::milliseconds kHttp2DrainPingWait{300};
// A connection that is closed for sending waits so long for the peer to close, too.
inline constexpr std::chrono::milliseconds kHttp2LingerMax{500};
// Deadlines are kept to this precision.
inline constexpr std::chrono::milliseconds kHttp2DeadlineStep{5};
// For connections to be closed at the end, which waits for nobody.
inline constexpr std::chrono::milliseconds kHttp2CloseWait{500};

static_assert(kHttp2StreamWindowBytes <= kHttp2ConnectionWindowBytes);
static_assert(kWatchersMax < kGrpcForwardedCallsMax, "the rest of the calls must have room beside the watchers");
static_assert(3 * kGrpcStatusTextBytesMax + kGrpcStatusDetailsBytesMax / 3 * 4 < (8 << 10));
static_assert(kHttp2ConnectionWindowBytes < kGrpcMemoryBytesMax);

static_assert(kHttp2DrainPingWait + kHttp2LingerMax < kStopCallsWait, "idle connections end within a stop's grace");
static_assert(kHttp2ConnectionsPerAddressMax < kHttp2ConnectionsMax);

}  // namespace viewcount::limits

namespace viewcount {

// Limits that depend on the machine, or that tests shorten.
struct Http2Limits {
  size_t connections_max = limits::kHttp2ConnectionsMax;
  size_t connections_per_address_max = limits::kHttp2ConnectionsPerAddressMax;
  std::chrono::milliseconds greeting_max = limits::kHttp2GreetingMax;
  std::chrono::milliseconds peer_check_interval = limits::kHttp2PeerCheckInterval;
  int silent_checks_max = limits::kHttp2SilentChecksMax;
};

}  // namespace viewcount
