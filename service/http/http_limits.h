// The limits of an HTTP server. Tests shorten them; the service takes the defaults.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/limits.h"

namespace viewcount {

struct HttpLimits {
  size_t header_bytes_max = limits::kHttpHeaderBytesMax;
  size_t body_bytes_max = limits::kHttpBodyBytesMax;
  size_t connections_max = limits::kHttpConnectionsMax;
  std::chrono::milliseconds request_timeout = limits::kHttpRequestTimeout;
  std::chrono::milliseconds idle_timeout = limits::kHttpIdleTimeout;
  std::chrono::milliseconds drain_timeout = limits::kHttpDrainTimeout;
};

}  // namespace viewcount
