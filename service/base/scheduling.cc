#include "service/base/scheduling.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace viewcount {
namespace {

// The struct of sched_setattr(2), version 0. glibc 2.36 declares neither the struct nor the function.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

void AskForSlice(std::chrono::nanoseconds slice) {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  // These are the ordinary policies. Other policies have no slice, or give the number another meaning.
  constexpr uint32_t kOther = 0;
  constexpr uint32_t kBatch = 3;
  if (attributes.policy != kOther && attributes.policy != kBatch) return;
  attributes.runtime = static_cast<uint64_t>(slice.count());
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace viewcount
