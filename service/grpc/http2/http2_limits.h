// Limits on what one client may use of the gRPC port.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"

namespace viewcount::limits {

inline constexpr size_t kHttp2ConnectionsMax = 10'000;
// Connections from one address, which may be a machine with one process per request. IPv6 addresses are grouped by
// their /64 prefix.
inline constexpr size_t kHttp2ConnectionsPerAddressMax = 4'000;
// The time within which a new peer must send its first HTTP/2 frame.
inline constexpr std::chrono::seconds kHttp2GreetingMax{10};
// The interval between two checks of silent peers, and the number of silent checks after which a peer gets a PING.
inline constexpr std::chrono::seconds kHttp2PeerCheckInterval{5};
inline constexpr int kHttp2SilentChecksMax = 12;
// The bytes that a peer may send before the service has consumed them, per stream and per connection. They cover some
// milliseconds of a fast network, so a sender never waits because of the window alone.
inline constexpr uint32_t kHttp2StreamWindowBytes = 4 << 20;
inline constexpr int32_t kHttp2ConnectionWindowBytes = 16 << 20;
// The largest frame that a peer may send. A whole batch of views fits. Frames are not buffered: their bytes are
// processed as they arrive.
inline constexpr uint32_t kHttp2FrameBytesMax = 1 << 20;
inline constexpr uint32_t kHttp2HeaderBytesMax = 16 << 10;
// The bytes of unsent answers per call. Above it, the call's next request message waits, too.
inline constexpr size_t kHttp2AnswerBytesMax = 64 << 10;
// A status travels in headers, and gRPC's clients accept 8 KiB of these. Percent-encoding may turn each byte of the
// text into three.
inline constexpr size_t kGrpcStatusTextBytesMax = 1 << 10;
inline constexpr size_t kGrpcStatusDetailsBytesMax = 3 << 10;
// The number of calls that a peer may cancel in a burst, and then per second. Clients whose calls all time out cancel
// that many. A peer that cancels more begins calls only to cancel them (CVE-2023-44487).
inline constexpr uint64_t kHttp2ResetsMax = kGrpcStreamsPerConnectionMax;
inline constexpr uint64_t kHttp2ResetsPerSecond = 1'000;
// Calls forwarded to gRPC, over all connections. A cancelled call takes some time to end there.
inline constexpr size_t kGrpcForwardedCallsMax = 50'000;
// Among the forwarded calls, those of one connection that the caller abandoned while gRPC still works on them. Each
// takes about 16 KiB.
inline constexpr size_t kGrpcAbandonedCallsMax = 1'000;
// The time after which the connection of a peer that accepts no output is closed.
inline constexpr std::chrono::seconds kHttp2StallMax{30};
// The time that a peer has to answer the PING of a drain.
inline constexpr std::chrono::milliseconds kHttp2DrainPingWait{300};
// The time that a peer has to close a connection after we shut it down for sending.
inline constexpr std::chrono::milliseconds kHttp2LingerMax{500};
// Deadlines are kept with this precision.
inline constexpr std::chrono::milliseconds kHttp2DeadlineStep{5};
// The time allowed for closing the remaining connections at the end of a stop. Calls get no further time.
inline constexpr std::chrono::milliseconds kHttp2CloseWait{500};

static_assert(kHttp2StreamWindowBytes <= kHttp2ConnectionWindowBytes);
static_assert(kWatchersMax < kGrpcForwardedCallsMax, "the rest of the calls must have room beside the watchers");
static_assert(3 * kGrpcStatusTextBytesMax + kGrpcStatusDetailsBytesMax / 3 * 4 < (8 << 10));
static_assert(kHttp2ConnectionWindowBytes < kGrpcMemoryBytesMax);

static_assert(kHttp2DrainPingWait + kHttp2LingerMax < kStopCallsWait, "idle connections end within a stop's grace");
static_assert(kHttp2ConnectionsPerAddressMax < kHttp2ConnectionsMax);

}  // namespace viewcount::limits

namespace viewcount {

// Limits that depend on the machine, or that tests shorten. A value type.
struct Http2Limits {
  size_t connections_max = limits::kHttp2ConnectionsMax;
  size_t connections_per_address_max = limits::kHttp2ConnectionsPerAddressMax;
  std::chrono::milliseconds greeting_max = limits::kHttp2GreetingMax;
  std::chrono::milliseconds peer_check_interval = limits::kHttp2PeerCheckInterval;
  int silent_checks_max = limits::kHttp2SilentChecksMax;
};

}  // namespace viewcount
