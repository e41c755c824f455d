#include "service/lane/batch_queue.h"

#include <thread>

#include "service/base/limits.h"

namespace viewcount {

BatchQueue::PutResult BatchQueue::Put(Batch* batch) {
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (closed_) return PutResult::kClosed;
    if (bytes_ + batch->bytes.size() > limits::kLaneQueueBytesMax || items_.size() >= limits::kLaneQueueBatchesMax) {
      return PutResult::kFull;
    }
    wake = items_.empty();
    items_.push_back({.batch = batch, .site = {}, .adjustment = {}});
    bytes_ += batch->bytes.size();
  }
  if (wake) filled_.notify_one();
  return PutResult::kTaken;
}

void BatchQueue::Put(std::shared_ptr<const Site> site) {
  {
    const MutexLock lock(mutex_);
    items_.push_back({.batch = nullptr, .site = std::move(site), .adjustment = {}});
  }
  filled_.notify_one();
}

BatchQueue::PutResult BatchQueue::Put(std::shared_ptr<SubmittedAdjustment> adjustment) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return PutResult::kClosed;
    items_.push_back({.batch = nullptr, .site = {}, .adjustment = std::move(adjustment)});
  }
  filled_.notify_one();
  return PutResult::kTaken;
}

bool BatchQueue::Take(std::vector<LaneItem>& group) {
  group.clear();
  MutexLock lock(mutex_);
  if (!closed_ && items_.empty()) {
    while (!closed_ && items_.empty()) lock.Wait(filled_);
    lock.Unlock();
    // The thread that put the first item likely has more to put, and continues if it shares this core. Yielding lets it
    // do so: a larger group takes no longer to sync than one batch.
    std::this_thread::yield();
    lock.Lock();
  }
  TakeLocked(group);
  return !group.empty();
}

bool BatchQueue::TryTake(std::vector<LaneItem>& group) {
  group.clear();
  const MutexLock lock(mutex_);
  TakeLocked(group);
  return !group.empty();
}

void BatchQueue::TakeLocked(std::vector<LaneItem>& group) {
  size_t bytes = 0;
  while (!items_.empty()) {
    LaneItem& item = items_.front();
    const size_t size = item.batch != nullptr ? item.batch->bytes.size() : 0;
    if (!group.empty() && bytes + size > limits::kLaneGroupBytesMax) break;
    bytes += size;
    group.push_back(std::move(item));
    items_.pop_front();
  }
  bytes_ -= bytes;
}

void BatchQueue::Close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  filled_.notify_one();
}

size_t BatchQueue::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace viewcount
