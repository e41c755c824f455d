// The routes for operators: metrics, and whether the process is healthy and ready.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "service/http/router.h"

namespace viewcount {

// Functions that the routes call on the HTTP server's thread. They must not block for long, and must stay valid while
// the server runs.
struct AdminSources {
  // Returns the text of /metrics.
  std::function<std::string()> metrics;
  // Returns the reason why the service is not ready, or nothing if it is ready.
  std::function<std::optional<std::string>()> why_not_ready;
  // Returns the reason why the process should be restarted, or nothing if it is healthy. May be empty.
  std::function<std::optional<std::string>()> why_not_healthy = {};
  // Returns the page that browsers get at /. May be empty.
  std::function<HttpResponse(const HttpRequest&)> page = {};
};

// Adds four GET routes: /metrics, /healthz, /readyz and / (an index, or the page for browsers). /healthz and /readyz
// answer 200, or 503 with the reason. /healthz answers 503 while a thread is stuck.
void AddAdminRoutes(HttpRouter& router, AdminSources sources);

}  // namespace viewcount
