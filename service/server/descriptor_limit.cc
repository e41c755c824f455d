#include "service/server/descriptor_limit.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

namespace viewcount {
namespace {

// For journals, Redis, gRPC and the rest.
constexpr size_t kOthers = 1'000;

}  // namespace

void RaiseDescriptorLimit(size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < connections + kOthers) {
    spdlog::warn(
        "only {} files and connections may be open at once, {} would be enough for all readers; raise it with "
        "ulimit -n or LimitNOFILE=",
        limit.rlim_cur, connections + kOthers);
  }
}

}  // namespace viewcount
