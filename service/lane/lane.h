// One ordered path from batches to counts: queue, dedupe, journal, fold, acknowledge. A process runs some lanes; they
// share nothing.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/log_throttle.h"
#include "service/ingest/batch.h"
#include "service/journal/journal_writer.h"
#include "service/lane/batch_queue.h"
#include "service/lane/checkpoint.h"
#include "service/lane/ledger.h"
#include "service/lane/stored_waiters.h"
#include "service/lane/writer_table.h"
#include "service/metrics/metrics.h"
#include "service/visitors/cool_down_table.h"
#include "service/visitors/visit_table.h"

namespace viewcount {

// Owns one thread between Start and Stop. Functions are thread safe unless they say whose they are.
class Lane {
 public:
  struct Parts {
    // Where the checkpoints go: the journal's folder.
    Disk& disk;
    std::string folder;
    JournalWriter& journal;
    // Of the dedupe table as it begins; it stands for everything in the journal.
    WriterTable writers;
    // As of the same place.
    VisitTable visits = VisitTable();
    CoolDownTable cool_downs = CoolDownTable();
    // Of the newest checkpoint on disk.
    Position checkpoint;
    Ledger& ledger;
    const Clock& clock;
    Metrics& metrics;
    // Called when the journal cannot be made durable: nothing may be acknowledged any more. Must not return; by default
    // it ends the process.
    std::function<void(const absl::Status&)> failed = {};
  };
  // What `parts` refers to must outlive the lane.
  explicit Lane(Parts parts);
  ~Lane();

  void Start();
  // Handles everything queued, then ends the thread. Batches submitted from now on are refused.
  void Stop();

  // Takes over `batch`; its Done is called when it is acknowledged or refused. Refuses at once with RESOURCE_EXHAUSTED
  // when the queue, the journal or the open chunk is full, with UNAVAILABLE when stopped: then Done is not called.
  absl::Status Submit(Batch* batch);
  // In order with the batches.
  void ApplySite(std::shared_ptr<const Site> site);

  // Takes over an adjustment: journaled and folded in order with the batches, then answered through its `done`. Its
  // site must have been applied before. UNAVAILABLE when stopped: then `done` is not called.
  absl::Status Submit(std::shared_ptr<SubmittedAdjustment> adjustment);

  // Has `notify` called from the lane's thread when the flusher should not wait for its interval: the open chunk is
  // large, or somebody waits for the store. Null ends that; on return no call of an earlier one is under way.
  void NotifyFlusher(std::function<void()> notify);
  // To be called when the flusher has released a chunk, and now and then: answers who waits for the store.
  void AnswerStored();

  // --- Upkeep; one thread at a time, not the lane's ---

  // Writes the checkpoint that is due, prepares the journal's next segment and lets go of those no longer needed.
  void Maintain();
  // Makes the present dedupe table the newest checkpoint. Before Start or after Stop.
  absl::Status WriteCheckpointNow();
  // The dedupe table, before Start.
  WriterTable& writer_table() { return writers_; }

  // --- Without a thread: what a simulation steps through ---

  // Handles one group of what is queued. False if nothing is.
  bool Step();

  // What became of the views submitted to this lane; all of one moment.
  struct Counters {
    uint64_t received = 0;
    uint64_t counted = 0;
    uint64_t duplicate = 0;
    uint64_t rejected = 0;
    // Queued or in the lane's hands.
    uint64_t waiting = 0;
  };
  Counters counters() const;
  size_t queued_bytes() const { return queue_.bytes(); }
  // Batches are refused because there is no room for them on disk.
  bool journal_full() const { return journal_full_.load(std::memory_order_relaxed); }
  // Why every batch is refused at the moment, for operators: what is full, and the details. Nothing while batches are
  // taken.
  std::optional<std::string> refusal() const;
  // Grows by one when the thread begins a group and when it ends it, so it is odd while the thread is at work.
  uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }
  size_t writers() const { return writers_count_.load(std::memory_order_relaxed); }

 private:
  // What became of one batch of a group.
  struct Outcome {
    Batch* batch = nullptr;
    absl::Status status;
    IngestResult result;
    // It is in the journal, and new.
    bool journaled = false;
    // It was answered before it was durable, as it wished.
    bool answered = false;
  };

  void Run();
  void CountStep() { steps_.store(steps_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void HandleGroup(std::vector<LaneItem>& group);
  void HandleBatches(std::span<LaneItem> items);
  void HandleSite(std::shared_ptr<const Site> site);
  // Journals the settings that wait; false if there is no room for all.
  bool WriteSites();
  bool WriteSite(const std::shared_ptr<const Site>& site);
  void HandleAdjustment(const SubmittedAdjustment& submitted);
  // JournalWriter::Begin; false if there is no room.
  bool Begin(size_t records, size_t bytes);
  // The answer to batches that find no room in the journal.
  absl::Status JournalFull() const;
  // Room for the batches, each with its head.
  bool MakeRoom(std::span<LaneItem> items);
  // Dedupes a batch and, if it is new, journals it.
  Outcome Take(Batch& batch, SteadyTime now);
  // Decides which of its views begin a visit, and which are within a cool-down. Returns how many views that leaves.
  uint64_t Decide(Batch& batch);
  Checkpoint MakeCheckpoint();
  // Makes what was journaled durable; ends the process if that fails.
  void Commit();
  void Acknowledge(std::vector<Outcome>& outcomes);
  void Count(const Outcome& outcome);
  void WatchChunk();
  void Notify();
  std::vector<RecordDraft> Preamble();

  Parts parts_;
  Ledger& ledger_;
  JournalWriter& journal_;
  Metrics& metrics_;
  BatchQueue queue_;
  StoredWaiters stored_waiters_;
  std::thread thread_;

  // Of the thread.
  WriterTable writers_;
  VisitTable visits_;
  CoolDownTable cool_downs_;
  // Of the batch that is journaled; kept for their memory.
  std::string visit_bits_;
  std::string cool_down_bits_;
  std::string head_;
  std::vector<LaneItem> group_;
  std::vector<Outcome> outcomes_;
  // Settings that found no room in the journal yet, in order.
  std::vector<std::shared_ptr<const Site>> unwritten_sites_;
  Position position_;

  std::mutex notify_mutex_;
  std::function<void()> notify_flusher_;
  std::atomic<size_t> writers_count_{0};
  // Written by the thread only.
  std::atomic<uint64_t> steps_{0};
  // Set by the thread when the open chunk must not grow.
  std::atomic<bool> chunk_full_{false};
  // Set by the thread when the journal has no room, so that batches are refused without passing the queue; every
  // Maintain lets one group try again.
  std::atomic<bool> journal_full_{false};
  // Why the journal had no room the last time.
  mutable std::mutex full_mutex_;
  absl::Status full_;

  mutable std::mutex counters_mutex_;
  Counters counters_;

  // Taken by the thread when a segment begins, written by Maintain.
  std::mutex checkpoint_mutex_;
  std::optional<Checkpoint> due_checkpoint_;
  std::atomic<uint64_t> checkpointed_;
  LogThrottle checkpoint_lines_;
  LogThrottle upkeep_lines_;
};

}  // namespace viewcount
