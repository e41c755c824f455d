// The bounded queue before a lane: many transport threads put batches in, and the lane's thread takes groups out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "service/base/mutex.h"
#include "service/lane/adjustment.h"
#include "service/model/batch.h"
#include "service/sites/site.h"

namespace viewcount {

// An adjustment on its way through a lane, with the callback that reports its result.
struct SubmittedAdjustment {
  Adjustment adjustment;
  SiteIndex site;
  // Called exactly once, on the lane's thread. The status is OK when the adjustment is journaled and folded, and
  // RESOURCE_EXHAUSTED when the journal has no room. Must not block.
  std::function<void(const absl::Status&)> done;
};

// One item that a lane handles in order: a batch, new settings of a site, or an adjustment. Exactly one member is set.
struct LaneItem {
  Batch* batch = nullptr;
  std::shared_ptr<const Site> site;
  std::shared_ptr<SubmittedAdjustment> adjustment;
};

// Thread-safe. Does not own the batches.
class BatchQueue {
 public:
  enum class PutResult : uint8_t { kTaken, kFull, kClosed };

  // Appends a batch. Returns kFull if the queue would exceed limits::kLaneQueueBytesMax or
  // limits::kLaneQueueBatchesMax, and kClosed after Close.
  PutResult Put(Batch* batch);
  // Appends settings. They are few, so they are never refused.
  void Put(std::shared_ptr<const Site> site);
  // Appends an adjustment. Adjustments come one at a time, so there is no limit. Returns kClosed after Close.
  PutResult Put(std::shared_ptr<SubmittedAdjustment> adjustment);
  // Waits until items are queued, then replaces the content of `group` with the next ones. A group has at most
  // limits::kLaneGroupBytesMax bytes of requests, but always at least one item. Returns false when the queue is closed
  // and empty.
  bool Take(std::vector<LaneItem>& group);
  // Does the same as Take without waiting. Returns false if nothing is queued.
  bool TryTake(std::vector<LaneItem>& group);
  // Refuses further batches and adjustments. Take returns what is still queued, and then false.
  void Close();

  // Returns the bytes of all queued requests.
  size_t bytes() const;

 private:
  void TakeLocked(std::vector<LaneItem>& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::condition_variable filled_;
  std::deque<LaneItem> items_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace viewcount
