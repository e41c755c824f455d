// The limits of an HTTP server. Tests shorten them; the service takes the defaults.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/limits.h"

namespace viewcount {

namespace limits {

// What a stop waits for a last request on each connection, while calls of gRPC have kStopCallsWait to end.
inline constexpr std::chrono::milliseconds kStopHttpIdleWait{1'000};
static_assert(kStopHttpIdleWait <= kStopCallsWait);

}  // namespace limits

struct HttpLimits {
  size_t header_bytes_max = limits::kHttpHeaderBytesMax;
  // Of routes without a limit of their own.
  size_t body_bytes_max = limits::kHttpBodyBytesMax;
  size_t connections_max = limits::kHttpConnectionsMax;
  // From one address; see HttpAccess::shared for who has none.
  size_t connections_per_address_max = limits::kHttpConnectionsMax;
  std::chrono::milliseconds request_timeout = limits::kHttpRequestTimeout;
  std::chrono::milliseconds idle_timeout = limits::kHttpIdleTimeout;
  // How long a stop waits for one more request on each connection that is open. Its answer asks the peer to close the
  // connection. Proxies such as nginx send requests on connections that they keep, and a request that meets the end of
  // its connection is lost. 0: connections without an answer under way are closed at once.
  std::chrono::milliseconds drain_idle_timeout{0};
  // What a stop waits after that for answers under way.
  std::chrono::milliseconds drain_timeout = limits::kHttpDrainTimeout;
};

}  // namespace viewcount
