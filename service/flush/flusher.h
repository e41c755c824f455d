// Brings a lane's chunks into the store, each exactly once (DESIGN.md section 6). The stored cursor is the truth: after
// anything but a clear answer it is read again, and what it says is gone on from.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "service/base/clock.h"
#include "service/flush/applied_listener.h"
#include "service/flush/chunk_plan.h"
#include "service/metrics/metrics.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

// One lane's. Everything on the executor's thread unless it says otherwise; what it refers to must outlive it, and it
// must outlive its coroutines: await Run's end after Stop.
class Flusher {
 public:
  struct Parts {
    Ledger& ledger;
    CountStore& store;
    const SiteDirectory& sites;
    AppliedListener& listener;
    const Clock& clock;
    Metrics& metrics;
  };
  struct Options {
    LaneIdentity lane;
    std::chrono::milliseconds interval{1'000};
    // Called when someone else has the lane: the process must stop, or it would count twice.
    std::function<void(const absl::Status&)> fenced;
  };

  Flusher(const boost::asio::any_io_executor& executor, Parts parts, Options options);

  // Flushes at every interval until Stop; retries for ever.
  boost::asio::awaitable<void> Run();
  // Ends Run after the step under way. What is not flushed stays in the ledger.
  void Stop();
  // Returns when everything folded before the call is in the store. Errors: what keeps it from being there, as soon as
  // that is known; DEADLINE_EXCEEDED.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Thread safe: do not wait for the interval.
  void Kick();

 private:
  boost::asio::awaitable<void> WaitForWork();
  // After a reconnect, when the store may be another one, reads the cursors of all shards it has claimed. `plan` is
  // that of the sealed chunk; null if there is none.
  boost::asio::awaitable<absl::Status> Verify(ChunkPlan* plan);
  boost::asio::awaitable<void> FlushChunk(std::shared_ptr<const Chunk> chunk);
  // One try at every shard of the plan that is not finished.
  boost::asio::awaitable<absl::Status> FlushShards(ChunkPlan& plan);
  boost::asio::awaitable<absl::Status> FlushShard(ChunkPlan& plan, Shard shard);
  boost::asio::awaitable<absl::Status> Claim(Shard shard, ChunkPlan* plan);
  void Reconcile(Shard shard, const Cursor& stored, ChunkPlan* plan);
  void NoteApplied(ChunkPlan& plan, const PlannedPart& planned, const ApplyResult& result, SteadyTime began);
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
  std::array<bool, limits::kShards> claimed_{};
  // Shards claimed at least once: their cursors are known.
  std::array<bool, limits::kShards> known_{};
  uint64_t generation_ = 0;
  std::chrono::milliseconds back_off_{0};
  uint64_t errors_ = 0;
  absl::Status last_error_;
  SteadyTime last_logged_;
  bool stopped_ = false;
  bool kicked_ = false;
  std::atomic<bool> kick_posted_{false};
};

}  // namespace viewcount
