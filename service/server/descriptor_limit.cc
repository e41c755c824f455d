#include "service/server/descriptor_limit.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>

#include "service/base/limits.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace {

constexpr size_t kWanted = limits::kPublicConnectionsMax + limits::kHttp2ConnectionsMax;

// The part of the free descriptors that the port for backends may take if they are few.
constexpr size_t kBackendShare = 4;

size_t KeptFor(size_t lanes) { return kDescriptorsOfOthers + lanes * kDescriptorsPerLane + kAdminConnectionsMax; }

}  // namespace

DescriptorPlan PlanDescriptors(size_t limit, size_t lanes) {
  const size_t free = limit - std::min(limit, KeptFor(lanes));
  const size_t backend_http = std::clamp(free / kBackendShare, kConnectionsMin, kBackendConnectionsMax);
  const size_t left = free - std::min(free, backend_http);
  const size_t http = left >= kWanted ? limits::kPublicConnectionsMax : left * limits::kPublicConnectionsMax / kWanted;
  const size_t grpc = left >= kWanted ? limits::kHttp2ConnectionsMax : left - http;
  return {.admin = kAdminConnectionsMax,
          .http = std::max(http, kConnectionsMin),
          .backend_http = backend_http,
          .grpc = std::max(grpc, kConnectionsMin),
          .limit = limit,
          .wanted = KeptFor(lanes) + kBackendConnectionsMax + kWanted};
}

DescriptorPlan FitDescriptors(size_t lanes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_max = 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return PlanDescriptors(limit.rlim_cur, lanes);
}

void ReportFewDescriptors(const DescriptorPlan& plan) {
  if (plan.limit >= plan.wanted) return;
  spdlog::warn(
      "only {} files and connections may be open at once, so {} HTTP and {} gRPC connections are taken; {} would be "
      "enough for all: raise it with ulimit -n or LimitNOFILE=",
      plan.limit, plan.http, plan.grpc, plan.wanted);
}

}  // namespace viewcount
