// Brings a lane's chunks into the store, each exactly once (docs/PROTOCOL.md, "Application of a chunk"). The stored
// cursor is the truth. After anything but a clear answer the flusher reads it again, and continues from there.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/flush/applied_listener.h"
#include "service/flush/chunk_plan.h"
#include "service/journal/journal_writer.h"
#include "service/lane/refold.h"
#include "service/metrics/metrics.h"
#include "service/store/count_store.h"

namespace viewcount {

// One lane's. Everything on the executor's thread unless it says otherwise; what it refers to must outlive it, and it
// must outlive its coroutines: await Run's end after Stop.
class Flusher {
 public:
  struct Parts {
    Ledger& ledger;
    CountStore& store;
    AppliedListener& listener;
    JournalWriter& journal;
    JournalSource source;
    const Clock& clock;
    Metrics& metrics;
    // Where reading the journal may block.
    boost::asio::any_io_executor blocking;
  };
  struct Options {
    LaneIdentity lane;
    std::chrono::milliseconds interval{1'000};
    size_t part_articles_max = limits::kFlushPartArticlesMax;
    // Called when someone else has the lane: the process must stop, or it would count twice.
    std::function<void(const absl::Status&)> fenced;
    // Called when a chunk is in the store whole.
    std::function<void()> released = {};
  };

  Flusher(const boost::asio::any_io_executor& executor, Parts parts, Options options);

  // Claims every shard and folds what lies beyond its cursor: to be done before Run and before anything is read.
  // Errors: ABORTED with reason FENCED; FAILED_PRECONDITION with reason BEYOND_JOURNAL if the store knows more of the
  // lane than its journal; DATA_LOSS if the journal is broken; the store's.
  boost::asio::awaitable<absl::Status> Recover();
  // Flushes at every interval until Stop; retries for ever.
  boost::asio::awaitable<void> Run();
  // One try at bringing everything that was taken so far into the store. Never two at once, nor beside Run.
  boost::asio::awaitable<absl::Status> Step();
  // Ends Run after the step under way. What is not flushed stays in the journal.
  void Stop();
  // Returns when everything folded before the call is in the store. Errors: what keeps it from being there, as soon as
  // that is known; DEADLINE_EXCEEDED.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Thread safe: do not wait for the interval.
  void Kick();

 private:
  boost::asio::awaitable<void> WaitForWork();
  // After a reconnect, when the store may be another one, and every limits::kStoreCheckInterval, reads the cursors of
  // all shards.
  boost::asio::awaitable<absl::Status> Verify();
  boost::asio::awaitable<absl::Status> Claim(Shard shard);
  void Reconcile(Shard shard, const Claimed& stored);
  // Shards that were found behind since it was called last.
  void LogRollbacks();
  // Compares the store's totals of a shard, which is where the ledger has it, with the journal's. If they differ views
  // were counted twice or not at all, or somebody wrote into the store.
  void Audit(Shard shard, const LaneTotals& totals);
  // Folds again what belongs to the misplaced shards.
  boost::asio::awaitable<absl::Status> Realign();
  // Moves shards that stand before the journal's beginning to `cursors`, which are not, and says what is lost by that.
  boost::asio::awaitable<absl::Status> GiveUp(ShardSet shards, Position begin, const ShardCursors& cursors);
  boost::asio::awaitable<absl::Status> FlushChunk(SealedChunk sealed);
  // Does `work` for each of the shards, a few side by side, until one fails.
  template <typename Work>
  boost::asio::awaitable<absl::Status> ForShards(ShardSet shards, Work work);
  boost::asio::awaitable<absl::Status> FlushShard(Shard shard);
  void NoteApplied(const PlannedPart& planned, const ApplyResult& result, SteadyTime began);
  void NoteReleased();
  // Counts and logs an error; returns it.
  absl::Status NoteError(const absl::Status& status);
  boost::asio::awaitable<void> BackOff();
  // Waits for NoteProgress, at most until `deadline`.
  boost::asio::awaitable<void> AwaitProgress(SteadyTime deadline);
  // Something was flushed, or failed: wakes every FlushNow.
  void NoteProgress();
  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds duration);

  const boost::asio::any_io_executor executor_;
  Parts parts_;
  const Options options_;
  // Sleeps on it; Stop and Kick end the sleep.
  boost::asio::steady_timer timer_;
  // Those who wait for progress. Each has a timer of its own: setting a timer ends every wait on it.
  std::vector<boost::asio::steady_timer*> waiting_;
  // Shards whose cursor in the ledger is the store's.
  ShardSet claimed_;
  // Shards whose cursor in the store is not one that the ledger can go on from, and what the store says of them.
  ShardSet misplaced_;
  std::array<Claimed, limits::kShards> stored_;
  // Shards that went back in time and were not logged yet, and one of them in words.
  ShardSet rolled_back_;
  std::string rollback_;
  // Of the chunk under way.
  std::optional<ChunkPlan> plan_;
  SteadyTime plan_began_;
  // Shards whose totals do not agree.
  ShardSet differing_;
  uint64_t generation_ = 0;
  SteadyTime verified_at_;
  std::chrono::milliseconds back_off_{0};
  uint64_t errors_ = 0;
  absl::Status last_error_;
  LogThrottle error_lines_;
  bool recovered_ = false;
  bool stopped_ = false;
  bool kicked_ = false;
  std::atomic<bool> kick_posted_{false};
};

}  // namespace viewcount
