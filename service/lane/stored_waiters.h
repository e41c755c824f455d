// Batches whose sender wants to be answered only when they are in the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

#include "service/base/clock.h"
#include "service/ingest/batch.h"

namespace viewcount {

// Thread safe. Bounded by limits::kStoredWaitersMax and limits::kStoredWait.
class StoredWaiters {
 public:
  // Keeps `batch` until the store has everything up to `position`. False if as many wait as may: answer it now.
  bool Add(Batch* batch, const IngestResult& result, Position position, SteadyTime deadline);
  // Answers those that lie up to `flushed` with DURABILITY_STORED, and those past their deadline with what they have.
  void Answer(Position flushed, SteadyTime now);

 private:
  struct Waiter {
    Batch* batch = nullptr;
    IngestResult result;
    Position position;
    SteadyTime deadline;
  };

  std::mutex mutex_;
  std::vector<Waiter> waiters_;
};

}  // namespace viewcount
