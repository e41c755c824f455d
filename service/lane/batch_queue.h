// The bounded queue in front of a lane: many transports put batches in, one thread takes groups out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "service/ingest/batch.h"
#include "service/sites/site.h"

namespace viewcount {

// What a lane handles in order: a batch, or a site's new settings (then `batch` is null).
struct LaneItem {
  Batch* batch = nullptr;
  std::shared_ptr<const Site> site;
};

// Thread safe. Does not own the batches.
class BatchQueue {
 public:
  enum class PutResult : uint8_t { kTaken, kFull, kClosed };

  // Refuses beyond limits::kLaneQueueBytesMax or limits::kLaneQueueBatchesMax, and after Close.
  PutResult Put(Batch* batch);
  // Settings are few and never refused.
  void Put(std::shared_ptr<const Site> site);
  // Waits for items and puts up to limits::kLaneGroupBytesMax into `group`. False when closed and empty.
  bool Take(std::vector<LaneItem>& group);
  // Lets Take empty the queue and then end.
  void Close();

  // Bytes of the requests that wait.
  size_t bytes() const;
  // Sum of the counts that wait.
  uint64_t views() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<LaneItem> items_;
  size_t bytes_ = 0;
  uint64_t views_ = 0;
  bool closed_ = false;
};

}  // namespace viewcount
