// Writes a lane's chunks to the store, each exactly once (docs/PROTOCOL.md, "Application of a chunk"). The stored
// cursor is the truth. After anything but a clear answer the flusher reads it again and continues from there.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <bit>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/log_throttle.h"
#include "service/base/wait_group.h"
#include "service/flush/applied_listener.h"
#include "service/flush/chunk_plan.h"
#include "service/journal/journal_writer.h"
#include "service/lane/refold.h"
#include "service/metrics/metrics.h"
#include "service/store/count_store.h"

namespace viewcount {

// The flusher of one lane. Every function must be called on the executor's thread unless its comment says otherwise.
// Everything that `parts` refers to must outlive the flusher. The flusher must outlive its coroutines: after Stop, wait
// until Run has ended.
class Flusher {
 public:
  // The objects that the flusher works with.
  struct Dependencies {
    Ledger& ledger;
    CountStore& store;
    // Tells readers that a cursor moves. Null if the ledger has no readers: the flusher then moves its cursors alone.
    AppliedListener* listener = nullptr;
    JournalWriter& journal;
    JournalSource source;
    const Clock& clock;
    Metrics& metrics;
    // The executor for reading the journal, which may block.
    boost::asio::any_io_executor blocking;
  };
  // The flusher's identity and settings.
  struct Options {
    LaneIdentity lane;
    std::chrono::milliseconds interval{1'000};
    size_t part_articles_max = limits::kFlushPartArticlesMax;
    // Called when another process has the lane. This process must then stop, because it would count views twice.
    std::function<void(const absl::Status&)> fenced;
    // Called when a whole chunk is in the store.
    std::function<void()> released = {};
  };

  Flusher(const boost::asio::any_io_executor& executor, Dependencies parts, Options options);

  // Claims every shard and folds the views beyond its cursor. Call it before Run and before anything is read. Returns
  // ABORTED with reason FENCED if another process has the lane. Returns FAILED_PRECONDITION with reason BEYOND_JOURNAL
  // if the store has a position of the lane that is beyond its journal. Returns DATA_LOSS if the journal is broken.
  // Other errors are those of the store.
  boost::asio::awaitable<absl::Status> Recover();
  // Flushes at every interval until Stop. Failed flushes are tried again without limit.
  boost::asio::awaitable<void> Run();
  // Tries once to write everything that was taken so far to the store. Do not call it while another Step or Run is
  // running.
  boost::asio::awaitable<absl::Status> Step();
  // Ends Run after the present step. Views that are not flushed stay in the journal.
  void Stop();
  // Waits until everything that was folded before the call is in the store, as the store is after the last reconnect.
  // Returns the error that prevents it, as soon as it is known, or DEADLINE_EXCEEDED after `timeout`.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Starts the next flush without waiting for the interval. Thread-safe.
  void Kick();

 private:
  boost::asio::awaitable<void> WaitForWork();
  // Claims all shards, which reads their cursors. It does so after a reconnect, when the store may be another one, and
  // every limits::kStoreCheckInterval.
  boost::asio::awaitable<absl::Status> Verify();
  // Claims a shard and compares its stored cursor with the ledger. If another process has the lane, it stops the
  // flusher and calls `fenced`.
  boost::asio::awaitable<absl::Status> Claim(Shard shard);
  // Compares what the store says about a shard with the ledger. Moves the ledger's cursor, or marks the shard as
  // misplaced.
  void Reconcile(Shard shard, const Claimed& stored);
  // Logs the shards that were found rolled back since the last call.
  void LogRollbacks();
  // Compares the store's totals of a shard with the journal's. The ledger's cursor must be the store's. If they differ,
  // views were counted twice or not at all, or another program wrote into the store.
  void Audit(Shard shard, const LaneTotals& totals);
  // Folds again the views of the misplaced shards.
  boost::asio::awaitable<absl::Status> RepairShards();
  // Moves shards whose stored cursors lie before the journal's beginning to `cursors`, which do not. Reports the views
  // that are lost by that.
  boost::asio::awaitable<absl::Status> WriteOffLost(ShardSet shards, Position begin, const ShardCursors& cursors);
  // Writes the parts of a chunk for all its shards.
  boost::asio::awaitable<absl::Status> FlushChunk(SealedChunk sealed);
  // Runs `work` for each of the shards, a few of them concurrently, until one fails.
  template <typename Work>
  boost::asio::awaitable<absl::Status> ForShards(ShardSet shards, Work work);
  // Writes the parts of the planned chunk for one shard.
  boost::asio::awaitable<absl::Status> FlushShard(Shard shard);
  // Checks the invariants of a part that is about to be sent for a shard whose cursor is `cursor`.
  void CheckPart(const Part& part, Shard shard, const Cursor& cursor) const;
  // Moves the ledger's cursor of a shard to `cursor`, because the store now has these articles of the planned chunk.
  void MoveForward(Shard shard, const Cursor& cursor, std::span<const uint32_t> articles);
  // Moves the ledger's cursor of a shard to `cursor`, because the store is there instead of where it was left.
  void MoveTo(Shard shard, const Cursor& cursor);
  void NoteApplied(const PlannedPart& planned, const ApplyResult& result, SteadyTime began);
  void NoteReleased();
  // Counts and logs an error. Returns the error.
  absl::Status NoteError(const absl::Status& status);
  boost::asio::awaitable<void> BackOff();
  // Waits for NoteProgress, but not longer than until `deadline`.
  boost::asio::awaitable<void> AwaitProgress(SteadyTime deadline);
  // Wakes every FlushNow, because something was flushed or failed.
  void NoteProgress();
  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration);

  const boost::asio::any_io_executor executor_;
  Dependencies parts_;
  const Options options_;
  // Sleep waits on this timer. Stop and Kick end the sleep.
  boost::asio::steady_timer timer_;
  // The timers of all waiting calls of FlushNow. Each call has its own timer, because setting a timer ends every wait
  // on it.
  std::vector<boost::asio::steady_timer*> waiting_;
  // Shards whose cursor in the ledger is the same as the store's.
  ShardSet claimed_;
  // Shards from whose stored cursor the ledger cannot continue.
  ShardSet misplaced_;
  std::array<Claimed, limits::kShards> stored_;
  // Shards that went back in time and have not been logged yet, and a text about one of them.
  ShardSet rolled_back_;
  std::string rollback_;
  // The plan of the chunk that is being flushed, and when it began.
  std::optional<ChunkPlan> plan_;
  SteadyTime plan_began_;
  // Shards whose totals differ from the journal's.
  ShardSet differing_;
  // The store's generation and the time of the last complete Verify.
  uint64_t generation_ = 0;
  SteadyTime verified_at_;
  std::chrono::milliseconds back_off_{0};
  // The number of failed steps, and the last error.
  uint64_t errors_ = 0;
  absl::Status last_error_;
  LogThrottle error_lines_;
  bool recovered_ = false;
  bool stopped_ = false;
  bool kicked_ = false;
  std::atomic<bool> kick_posted_{false};
};

template <typename Work>
boost::asio::awaitable<absl::Status> Flusher::ForShards(ShardSet shards, Work work) {
  absl::Status result;
  // A few concurrent shards hide the latency of the network. More would only make reads wait longer in Redis.
  const auto worker = [&]() -> boost::asio::awaitable<void> {
    while (!shards.empty() && result.ok() && !stopped_) {
      const Shard shard{static_cast<uint8_t>(std::countr_zero(shards.bits))};
      shards.Remove(ShardSet::Of(shard));
      const absl::Status status = co_await work(shard);
      if (!status.ok()) result = status;
    }
  };
  WaitGroup workers(executor_);
  for (size_t i = 0; i < limits::kFlushPartsInFlightMax; ++i) workers.Spawn(worker());
  co_await workers.Wait();
  if (result.ok() && stopped_) result = absl::CancelledError("stopped");
  co_return result;
}

}  // namespace viewcount
