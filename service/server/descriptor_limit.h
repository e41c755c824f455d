// How many connections and files the process may have open.
#pragma once

#include <cstddef>

namespace viewcount {

// How many connections each port may have, so that all of them and the files fit the process' limit of descriptors.
struct DescriptorPlan {
  size_t admin = 0;
  size_t http = 0;
  size_t grpc = 0;
  // The limit that the plan is for, and the one that would give each port all it could use.
  size_t limit = 0;
  size_t wanted = 0;
};

// The plan for a process with `lanes` lanes that may have `limit` descriptors. Journals, Redis and the admin port get
// theirs first; the public ports share what is left, in proportion to what they could use at most. Each port gets at
// least kConnectionsMin, even if that does not fit.
DescriptorPlan PlanDescriptors(size_t limit, size_t lanes);

// What a port gets at least, and the admin port at most.
inline constexpr size_t kConnectionsMin = 16;
inline constexpr size_t kAdminConnectionsMax = 64;
// Files of a lane: two segments, two spares, the checkpoint, the lock, and what reads them again.
inline constexpr size_t kDescriptorsPerLane = 10;
// Standard streams, event loops, gRPC's own, Redis, files that are read for a moment, connections that are refused.
inline constexpr size_t kDescriptorsOfOthers = 120;

// Raises the soft limit to the hard one and makes the plan for it.
DescriptorPlan FitDescriptors(size_t lanes);
// Logs the plan if ports have less than they could use.
void ReportFewDescriptors(const DescriptorPlan& plan);

}  // namespace viewcount
