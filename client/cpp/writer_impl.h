// The implementation of the writer: a batch that is being filled, a queue of sealed batches, and the thread that
// delivers them in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "client/cpp/batch_sender.h"
#include "client/cpp/view_batch.h"
#include "client/cpp/writer.h"
#include "service/base/mutex.h"

namespace viewcount::client {

// Implements Writer; see there for every public function. Thread-safe like Writer. The writer ID and the sequence are
// used by the thread only. Only the thread sends with `sender_`, and its thread-safe functions are called by every
// thread.
class Writer::Impl {
 public:
  explicit Impl(WriterOptions options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  absl::Status Record(const View& view, bool may_wait);
  absl::Status Flush(std::chrono::milliseconds timeout);
  absl::Status Close(std::chrono::milliseconds timeout);
  WriterStatistics statistics() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // --- Helpers of Record, Flush and Close. The writer's thread calls SealOpen too.
  // Adds a valid view if there is room for it. Returns false if there is none.
  bool AddIfRoom(const View& view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SealOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits until the first `batches` sealed batches are done. `lock` holds `mutex_`.
  absl::Status WaitFor(MutexLock<std::mutex>& lock, uint64_t batches, SteadyTime deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Functions for the writer's thread.
  void Run();
  // Waits for the next batch that is due and returns it. Returns nothing once the writer is closed and empty.
  std::optional<ViewBatch> Take();
  void Deliver(const ViewBatch& batch);
  std::string Serialise(const ViewBatch& batch) const;
  void BecomeNewWriter();
  void Finish(const ViewBatch& batch, const SendResult& result);
  void Drop(const ViewBatch& batch, const SendResult& result);
  // Subtracts the batch from the pending views and wakes all callers that wait.
  void Release(const ViewBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Log(const std::string& line) const;

  const WriterOptions options_;
  BatchSender sender_;
  std::string writer_id_;
  // The sequence of the next batch. A sequence is used up only by an acknowledgement.
  uint64_t sequence_ = 1;

  mutable Mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  ViewBatch open_ ABSL_GUARDED_BY(mutex_);
  SteadyTime open_since_ ABSL_GUARDED_BY(mutex_);
  std::deque<ViewBatch> sealed_ ABSL_GUARDED_BY(mutex_);
  // The number of batches that were sealed since the start, and how many of them were acknowledged or dropped. The done
  // batches are always the first ones.
  uint64_t sealed_count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t done_count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_batches_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status last_drop_ ABSL_GUARDED_BY(mutex_);
  WriterStatistics statistics_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;

  // Also makes a second Close wait for the first.
  Mutex close_mutex_;
  std::optional<absl::Status> close_result_ ABSL_GUARDED_BY(close_mutex_);
  // Declared last because the thread uses all members above.
  std::thread thread_;
};

}  // namespace viewcount::client
