// The limits of an HTTP server. Tests shorten them. The service adjusts some of them and uses the defaults of the
// others.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/limits.h"

namespace viewcount {

namespace limits {

// The time that a stop waits for a last request on each connection. Meanwhile gRPC calls have kStopCallsWait to end.
inline constexpr std::chrono::milliseconds kStopHttpIdleWait{1'000};
static_assert(kStopHttpIdleWait <= kStopCallsWait);

}  // namespace limits

struct HttpLimits {
  size_t header_bytes_max = limits::kHttpHeaderBytesMax;
  // For routes without their own limit.
  size_t body_bytes_max = limits::kHttpBodyBytesMax;
  size_t connections_max = limits::kHttpConnectionsMax;
  // Connections from one address. HttpAccess::shared lists addresses without this limit.
  size_t connections_per_address_max = limits::kHttpConnectionsMax;
  std::chrono::milliseconds request_timeout = limits::kHttpRequestTimeout;
  std::chrono::milliseconds idle_timeout = limits::kHttpIdleTimeout;
  // The time that a stop waits for one more request on each open connection. The answer asks the peer to close the
  // connection. Proxies such as nginx reuse connections, and a request is lost if its connection is closed meanwhile.
  // With 0, connections without an answer under way are closed immediately.
  std::chrono::milliseconds drain_idle_timeout{0};
  // The additional time that a stop waits for answers under way.
  std::chrono::milliseconds drain_timeout = limits::kHttpDrainTimeout;
};

}  // namespace viewcount
