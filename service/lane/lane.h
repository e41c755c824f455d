// A lane is one ordered path from batches to counts: queue, dedupe, journal, fold, acknowledge. A process runs several
// lanes, which share no state.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/log_throttle.h"
#include "service/base/mutex.h"
#include "service/journal/journal_writer.h"
#include "service/lane/batch_queue.h"
#include "service/lane/checkpoint.h"
#include "service/lane/ledger.h"
#include "service/lane/stored_waiters.h"
#include "service/lane/writer_table.h"
#include "service/metrics/metrics.h"
#include "service/model/batch.h"
#include "service/visitors/cool_down_table.h"
#include "service/visitors/visit_table.h"

namespace viewcount {

// Runs one lane. Owns one thread between Start and Stop. Functions are thread-safe unless their comment names the
// thread that must call them.
class Lane {
 public:
  // Everything that a lane works with and the tables that it starts with.
  struct Dependencies {
    // The disk and the folder for checkpoints. The folder is that of the journal.
    Disk& disk;
    std::string folder;
    JournalWriter& journal;
    // The dedupe table at the start. It covers everything in the journal.
    WriterTable writers;
    // The visits and cool-downs at the same place of the journal.
    VisitTable visits = VisitTable();
    CoolDownTable cool_downs = CoolDownTable();
    // The position of the newest checkpoint on disk.
    Position checkpoint;
    Ledger& ledger;
    const Clock& clock;
    Metrics& metrics;
    // Called when the journal cannot be made durable. After that no batch may be acknowledged. Must not return; the
    // default ends the process.
    std::function<void(const absl::Status&)> failed = {};
  };
  // Everything that `parts` refers to must outlive the lane.
  explicit Lane(Dependencies parts);
  ~Lane();

  // Starts the thread. Call it once.
  void Start();
  // Refuses further batches, handles everything that is queued, then ends the thread.
  void Stop();

  // Takes over `batch`. Its Done is called when it is acknowledged or refused. If Submit itself returns an error, Done
  // is not called. Submit returns RESOURCE_EXHAUSTED immediately when the queue, the journal or the open chunk is full,
  // and UNAVAILABLE after Stop.
  absl::Status Submit(Batch* batch);
  // Queues new settings of a site. They take effect in order with the batches.
  void ApplySite(std::shared_ptr<const Site> site);

  // Takes over an adjustment. It is journaled and folded in order with the batches, then answered through its `done`.
  // Its site must have been applied before. Returns UNAVAILABLE after Stop; then `done` is not called.
  //
  // A part of an import is taken only if its sequence is the next one of its writer. Otherwise `done` gets
  // ALREADY_EXISTS with reason DUPLICATE_SEQUENCE and `last_sequence`, or FAILED_PRECONDITION with reason SEQUENCE_GAP
  // and `expected_sequence`, or with reason UNKNOWN_WRITER. Nothing is journaled then.
  absl::Status Submit(std::shared_ptr<SubmittedAdjustment> adjustment);

  // Sets the function that the lane's thread calls when the flusher should not wait for its interval. That is when the
  // open chunk is large, or when a batch waits for the store. Null removes the function. When NotifyFlusher returns, no
  // call of an earlier function is running.
  void NotifyFlusher(std::function<void()> notify);
  // Answers the batches that wait for the store. Call it when the flusher has released a chunk, and periodically.
  void AnswerStored();

  // --- Maintenance: one thread at a time, but not the lane's thread ---

  // Writes the checkpoint that is due, prepares the journal's next segment and deletes segments that are no longer
  // needed.
  void Maintain();
  // Writes the present tables as the newest checkpoint. Call it before Start or after Stop.
  absl::Status WriteCheckpointNow();
  // Returns the dedupe table. Call it before Start.
  WriterTable& writer_table() { return writers_; }

  // --- Without a thread: steps for a simulation ---

  // Handles one group of queued items. Returns false if nothing is queued.
  bool Step();

  // Counts of the views that were submitted to this lane, by outcome. All numbers are of the same moment.
  struct Counters {
    uint64_t received = 0;
    uint64_t counted = 0;
    uint64_t duplicate = 0;
    uint64_t rejected = 0;
    // Queued, or being handled by the lane.
    uint64_t waiting = 0;
  };
  Counters counters() const;
  size_t queued_bytes() const { return queue_.bytes(); }
  // Returns true while batches are refused because the disk has no room for them.
  bool journal_full() const { return journal_full_.load(std::memory_order_relaxed); }
  // Returns why every batch is refused at the moment, for operators: what is full, and the details. Returns nothing
  // while batches are accepted.
  std::optional<std::string> refusal() const;
  // Returns a number that grows by one when the thread begins a group and when it ends it. The number is odd while the
  // thread works.
  uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }
  // Returns how many writers the dedupe table holds.
  size_t writers() const { return writers_count_.load(std::memory_order_relaxed); }

 private:
  // The outcome of one batch of a group.
  struct Outcome {
    Batch* batch = nullptr;
    absl::Status status;
    IngestResult result;
    // The batch is new and was written to the journal.
    bool journaled = false;
    // The batch was answered before it was durable, as it requested.
    bool answered = false;
  };

  void Run();
  void CountStep() { steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void HandleGroup(std::vector<LaneItem>& group);
  void HandleBatches(std::span<LaneItem> items);
  void HandleSite(std::shared_ptr<const Site> site);
  // Journals the waiting settings. Returns false if there is no room for all of them.
  bool WriteSites();
  bool WriteSite(const std::shared_ptr<const Site>& site);
  void HandleAdjustment(const SubmittedAdjustment& submitted);
  // Decides whether a part of an import is the next one of its writer, and remembers it if it is.
  absl::Status TakePart(const journal::v1::Adjustment& message);
  // Appends a record to the journal and moves position_ after it.
  void Append(RecordType type, std::string_view head, std::string_view body = {},
              JournalWriter::Body kind = JournalWriter::Body::kCopy);
  // Calls JournalWriter::Begin. Returns false if there is no room.
  bool Begin(size_t records, size_t bytes);
  // Returns the status for batches that find no room in the journal.
  absl::Status JournalFull() const;
  // Reserves room in the journal for the batches, each with its head. Returns false if there is none.
  bool MakeRoom(std::span<LaneItem> items);
  // Dedupes a batch and, if it is new, journals it.
  Outcome Take(Batch& batch, SteadyTime now);
  // Decides which views of the batch begin a visit, and which are within a cool-down. Returns how many views count.
  uint64_t Decide(Batch& batch);
  Checkpoint MakeCheckpoint();
  // Makes the journaled records durable. Ends the process if that fails.
  void Commit();
  void Acknowledge(std::vector<Outcome>& outcomes);
  void Count(const Outcome& outcome);
  void WatchChunk();
  void Notify();
  std::vector<RecordDraft> Preamble();

  Dependencies parts_;
  Ledger& ledger_;
  JournalWriter& journal_;
  Metrics& metrics_;
  BatchQueue queue_;
  StoredWaiters stored_waiters_;
  std::thread thread_;

  // The members from here to `position_` are used by the lane's thread only. Before Start and after Stop other threads
  // may use them.
  WriterTable writers_;
  VisitTable visits_;
  CoolDownTable cool_downs_;
  // Buffers for the batch that is being journaled. They are members so that their memory is reused.
  std::string visit_bits_;
  std::string cool_down_bits_;
  std::string head_;
  std::vector<LaneItem> group_;
  std::vector<Outcome> outcomes_;
  // Settings that have not been journaled yet for lack of room, in order.
  std::vector<std::shared_ptr<const Site>> unwritten_sites_;
  // The end of the last record that was appended to the journal.
  Position position_;

  Mutex notify_mutex_;
  std::function<void()> notify_flusher_ ABSL_GUARDED_BY(notify_mutex_);
  std::atomic<size_t> writers_count_{0};
  // Written by the lane's thread only.
  std::atomic<uint64_t> steps_{0};
  // Set by the lane's thread when the open chunk must not grow.
  std::atomic<bool> chunk_full_{false};
  // Set by the lane's thread when the journal has no room. Batches are then refused without passing through the queue.
  // Every successful Maintain clears it, so that one group tries again.
  std::atomic<bool> journal_full_{false};
  mutable Mutex full_mutex_;
  // The reason why the journal last had no room.
  absl::Status full_ ABSL_GUARDED_BY(full_mutex_);

  mutable Mutex counters_mutex_;
  Counters counters_ ABSL_GUARDED_BY(counters_mutex_);

  Mutex checkpoint_mutex_;
  // A checkpoint that the lane's thread makes when a segment begins, and that Maintain writes.
  std::optional<Checkpoint> due_checkpoint_ ABSL_GUARDED_BY(checkpoint_mutex_);
  std::atomic<uint64_t> checkpointed_;
  LogThrottle checkpoint_lines_;
  LogThrottle upkeep_lines_;
};

}  // namespace viewcount
