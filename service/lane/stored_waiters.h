// Holds batches with DURABILITY_STORED, whose senders are answered only when the views are in the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/model/batch.h"

namespace viewcount {

// Thread-safe. The number of batches is bounded by limits::kStoredWaitersMax, and their waiting time by
// limits::kStoredWait. Does not own the batches.
class StoredWaiters {
 public:
  // Keeps `batch` until the store has everything up to `position`. Returns false if the maximum number of batches waits
  // already: the caller must then answer the batch immediately.
  bool Add(Batch* batch, const IngestResult& result, Position position, SteadyTime deadline);
  // Answers the batches up to `flushed` with DURABILITY_STORED, and those past their deadline with the durability that
  // they have.
  void Answer(Position flushed, SteadyTime now);

 private:
  struct Waiter {
    Batch* batch = nullptr;
    IngestResult result;
    Position position;
    SteadyTime deadline;
  };

  Mutex mutex_;
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
