// Divides the process' file descriptors between connections and files.
#pragma once

#include <cstddef>

namespace viewcount {

// The maximum number of connections of each port. With them all connections and files fit into the process' limit of
// descriptors.
struct DescriptorPlan {
  size_t admin = 0;
  size_t http = 0;
  size_t backend_http = 0;
  size_t grpc = 0;
  // The limit for which the plan was made, and the limit that would give each port its maximum.
  size_t limit = 0;
  size_t wanted = 0;
};

// Returns the plan for a process with `lanes` lanes that may have `limit` descriptors. Journals, Redis and the admin
// port get their descriptors first, then the port for backends. The public ports share the rest, in proportion to their
// maxima. Each port gets at least kConnectionsMin, even if that does not fit.
DescriptorPlan PlanDescriptors(size_t limit, size_t lanes);

// The minimum for each port, and the maximum for the admin port.
inline constexpr size_t kConnectionsMin = 16;
inline constexpr size_t kAdminConnectionsMax = 64;
// The maximum for the port of the portal's own servers. A web server keeps some connections open and uses each for many
// requests.
inline constexpr size_t kBackendConnectionsMax = 128;
// The files of a lane: two segments, two spares, the checkpoint, the lock, and readers of these files.
inline constexpr size_t kDescriptorsPerLane = 10;
// Standard streams, event loops, gRPC's own descriptors, Redis, files that are open for a moment, and connections that
// are about to be refused.
inline constexpr size_t kDescriptorsOfOthers = 120;

// Raises the soft limit to the hard limit and returns the plan for it. Call it once, at start-up.
DescriptorPlan FitDescriptors(size_t lanes);
// Logs a warning if a port has fewer connections than its maximum.
void ReportFewDescriptors(const DescriptorPlan& plan);

}  // namespace viewcount
