#include "service/lane/stored_waiters.h"

#include <algorithm>
#include <utility>

#include "service/base/limits.h"

namespace viewcount {

bool StoredWaiters::Add(Batch* batch, const IngestResult& result, Position position, SteadyTime deadline) {
  const MutexLock lock(mutex_);
  if (waiters_.size() >= limits::kStoredWaitersMax) return false;
  waiters_.push_back({batch, result, position, deadline});
  return true;
}

void StoredWaiters::Answer(Position flushed, SteadyTime now) {
  std::vector<Waiter> done;
  {
    const MutexLock lock(mutex_);
    const auto first = std::stable_partition(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
      return waiter.position > flushed && waiter.deadline > now;
    });
    done.assign(first, waiters_.end());
    waiters_.erase(first, waiters_.end());
  }
  for (Waiter& waiter : done) {
    if (waiter.position <= flushed) waiter.result.durability = Durability::kStored;
    waiter.batch->Done(absl::OkStatus(), waiter.result);
  }
}

}  // namespace viewcount
