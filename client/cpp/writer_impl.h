// The writer's inside: a batch that gathers, a queue of sealed ones, and the thread that delivers them in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client/cpp/batch_sender.h"
#include "client/cpp/view_batch.h"
#include "client/cpp/writer.h"

namespace viewcount::client {

// See Writer for every public function. The callers' side is guarded by `mutex_`; the identity and the sender belong to
// the thread.
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
  using Lock = std::unique_lock<std::mutex>;

  // --- Callers
  // Adds a valid view if there is room for it.
  bool AddIfRoom(const View& view);
  void SealOpen();
  // Waits until the first `batches` sealed ones are done.
  absl::Status WaitFor(Lock& lock, uint64_t batches, SteadyTime deadline);

  // --- The thread
  void Run();
  // The next batch that is due; nothing once the writer is closed and empty.
  std::optional<ViewBatch> Take();
  void Deliver(const ViewBatch& batch);
  std::string Serialise(const ViewBatch& batch) const;
  void BecomeNewWriter();
  void Finish(const ViewBatch& batch, const SendResult& result);
  void Drop(const ViewBatch& batch, const SendResult& result);
  void Release(const ViewBatch& batch);
  void Log(const std::string& line) const;

  const WriterOptions options_;
  BatchSender sender_;
  std::string writer_id_;
  // Of the next batch; one is consumed only by an acknowledgement.
  uint64_t sequence_ = 1;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  ViewBatch open_;
  SteadyTime open_since_;
  std::deque<ViewBatch> sealed_;
  // Batches sealed, and of them acknowledged or dropped, since the start: the done ones are always the first ones.
  uint64_t sealed_count_ = 0;
  uint64_t done_count_ = 0;
  uint64_t dropped_batches_ = 0;
  absl::Status last_drop_;
  WriterStatistics statistics_;
  bool closing_ = false;

  // Guards `close_result_` and makes a second Close wait for the first.
  std::mutex close_mutex_;
  std::optional<absl::Status> close_result_;
  // Last: it uses all of the above.
  std::thread thread_;
};

}  // namespace viewcount::client
