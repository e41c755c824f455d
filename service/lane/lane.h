// One ordered path from acknowledged batches to counts: queue, dedupe, journal, fold. A process runs some lanes; they
// share nothing.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "service/base/clock.h"
#include "service/ingest/batch.h"
#include "service/journal/journal.h"
#include "service/lane/batch_queue.h"
#include "service/lane/ledger.h"
#include "service/lane/writer_table.h"
#include "service/metrics/metrics.h"

namespace viewcount {

// Owns one thread between Start and Stop. Other functions are thread safe.
class Lane {
 public:
  // `journal` and `ledger` belong to the lane's thread and to whom the ledger says. The rest must outlive the lane.
  Lane(std::unique_ptr<Journal> journal, Ledger& ledger, const Clock& clock, Metrics& metrics);
  ~Lane();

  void Start();
  // Handles everything queued, then ends the thread. Batches submitted from now on are refused.
  void Stop();

  // Takes over `batch`; its Done is called when it is acknowledged or refused. Refuses at once with RESOURCE_EXHAUSTED
  // when the queue or the open chunk is full, with UNAVAILABLE when stopped: then Done is not called.
  absl::Status Submit(Batch* batch);
  // Has `notify` called from the lane's thread whenever the open chunk is so large that it should be sealed; null to
  // end that. On return no call of an earlier one is under way.
  void NotifyLargeChunk(std::function<void()> notify);
  // In order with the batches.
  void ApplySite(std::shared_ptr<const Site> site);

  size_t queued_bytes() const { return queue_.bytes(); }
  uint64_t queued_views() const { return queue_.views(); }
  size_t writers() const { return writers_count_.load(std::memory_order_relaxed); }

 private:
  // What became of one batch of a group.
  struct Outcome {
    Batch* batch = nullptr;
    absl::Status status;
    IngestResult result;
    // Not zero for a batch to fold.
    Position position;
  };

  void Run();
  void HandleGroup(std::vector<LaneItem>& group);
  // Dedupes a batch and, if it is new, journals it.
  Outcome Take(Batch& batch, SteadyTime now);
  void Count(const Outcome& outcome);
  void WatchChunk();

  const std::unique_ptr<Journal> journal_;
  Ledger& ledger_;
  const Clock& clock_;
  Metrics& metrics_;
  BatchQueue queue_;
  std::thread thread_;

  // Of the thread.
  WriterTable writers_;
  std::vector<Outcome> outcomes_;

  std::mutex notify_mutex_;
  std::function<void()> notify_large_chunk_;
  std::atomic<size_t> writers_count_{0};
  // Set by the thread when the open chunk must not grow.
  std::atomic<bool> chunk_full_{false};
};

}  // namespace viewcount
