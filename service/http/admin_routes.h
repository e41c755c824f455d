// What operators ask: metrics, and whether the process is alive and ready.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "service/http/router.h"

namespace viewcount {

// Called on the HTTP server's thread; must not block for long, and must stay valid while the server runs.
struct AdminSources {
  // The text of /metrics.
  std::function<std::string()> metrics;
  // The reason why the service is not ready; nothing when it is.
  std::function<std::optional<std::string>()> why_not_ready;
  // Why the process should be restarted; nothing when it is well. May be empty.
  std::function<std::optional<std::string>()> why_not_healthy = {};
};

// Adds GET /metrics, /healthz (200, or 503 with the reason while a thread is stuck), /readyz (200, or 503 with the
// reason) and / (an index).
void AddAdminRoutes(HttpRouter& router, AdminSources sources);

}  // namespace viewcount
