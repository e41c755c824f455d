// The limits of an HTTP server. Tests shorten them; the service takes the defaults.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/limits.h"

namespace viewcount {

struct HttpLimits {
  size_t header_bytes_max = limits::kHttpHeaderBytesMax;
  // Of routes without a limit of their own.
  size_t body_bytes_max = limits::kHttpBodyBytesMax;
  size_t connections_max = limits::kHttpConnectionsMax;
  // From one address; see HttpAccess::shared for who has none.
  size_t connections_per_address_max = limits::kHttpConnectionsMax;
  std::chrono::milliseconds request_timeout = limits::kHttpRequestTimeout;
  std::chrono::milliseconds idle_timeout = limits::kHttpIdleTimeout;
  std::chrono::milliseconds drain_timeout = limits::kHttpDrainTimeout;
};

}  // namespace viewcount
