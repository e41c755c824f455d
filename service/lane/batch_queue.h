// The bounded queue in front of a lane: many transports put batches in, one thread takes groups out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "service/ingest/batch.h"
#include "service/lane/adjustment.h"
#include "service/sites/site.h"

namespace viewcount {

// An adjustment on its way through a lane.
struct SubmittedAdjustment {
  Adjustment adjustment;
  SiteIndex site;
  // Called exactly once, on the lane's thread: OK when it is journaled and folded, RESOURCE_EXHAUSTED when the journal
  // has no room. Must not block.
  std::function<void(const absl::Status&)> done;
};

// What a lane handles in order: a batch, or a site's new settings, or an adjustment.
struct LaneItem {
  Batch* batch = nullptr;
  std::shared_ptr<const Site> site;
  std::shared_ptr<SubmittedAdjustment> adjustment;
};

// Thread safe. Does not own the batches.
class BatchQueue {
 public:
  enum class PutResult : uint8_t { kTaken, kFull, kClosed };

  // Refuses beyond limits::kLaneQueueBytesMax or limits::kLaneQueueBatchesMax, and after Close.
  PutResult Put(Batch* batch);
  // Settings are few and never refused.
  void Put(std::shared_ptr<const Site> site);
  // Adjustments come one at a time; refused after Close.
  PutResult Put(std::shared_ptr<SubmittedAdjustment> adjustment);
  // Waits for items and puts up to limits::kLaneGroupBytesMax into `group`. False when closed and empty.
  bool Take(std::vector<LaneItem>& group);
  // The same without waiting: false if nothing is queued.
  bool TryTake(std::vector<LaneItem>& group);
  // Lets Take empty the queue and then end.
  void Close();

  // Bytes of the requests that wait.
  size_t bytes() const;

 private:
  void TakeLocked(std::vector<LaneItem>& group);

  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<LaneItem> items_;
  size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace viewcount
