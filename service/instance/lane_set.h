// Owns all lanes of a process, with the threads and coroutines that work for them.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/log_throttle.h"
#include "service/base/mutex.h"
#include "service/base/wait_group.h"
#include "service/instance/lane_group.h"
#include "service/lane/lane.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// The lanes of this process. They start in the steps of LaneGroup: Open, Settle, the cache over the lanes,
// StartFlushing, StartTaking. If views are taken before the store is available, the steps are Open, BeginUnchecked, the
// cache over the lanes, StartTaking. Settle and StartFlushing follow when the store becomes available.
//
// Thread safety is that of the parts it holds: `Lane`, `Ledger`, `JournalWriter`. Coroutines run on the store's
// executor. The objects in Dependencies must outlive it.
class LaneSet final : public SiteListener {
 public:
  struct Dependencies {
    Disk& disk;
    SiteDirectory& sites;
    const Clock& clock;
    Metrics& metrics;
  };
  struct Options {
    std::string data_dir;
    // See LaneGroup::Options.
    uint32_t count = 1;
    uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
    std::chrono::milliseconds journal_retention = limits::kJournalRetention;
  };
  // See LaneGroup::Open.
  static absl::StatusOr<std::unique_ptr<LaneSet>> Open(Dependencies parts, Options options);
  ~LaneSet() override;

  // See LaneGroup::Settle. Runs on the executor's thread.
  boost::asio::awaitable<absl::Status> Settle(CountStore& store) { return group_->Settle(store); }
  // See LaneGroup::BeginUnchecked. Call it on the thread of Settle.
  absl::Status BeginUnchecked() { return group_->BeginUnchecked(); }
  // See LaneGroup::retired_views.
  uint64_t retired_views() const { return group_->retired_views(); }

  // Returns the lanes for CountCache. Call it, lanes() and ledgers() after Settle or BeginUnchecked, because a lane may
  // be replaced before.
  std::vector<CountCache::Lane> cached_lanes() const { return group_->cached_lanes(); }
  // lanes() has only those that take views, the others also have the surplus lanes, as their last ones.
  std::vector<Lane*> lanes();
  std::vector<Ledger*> ledgers();

  using FlushParts = LaneRuntime::FlushParts;
  // Takes from the journals the views that the store does not have, then begins to flush. Runs on the executor's
  // thread, after Settle. An error may be temporary: call it again.
  boost::asio::awaitable<absl::Status> StartFlushing(FlushParts parts);
  // Returns true after StartFlushing has succeeded. Thread-safe.
  bool flushes() const { return flushes_; }
  // Starts the lanes' threads, which accept batches from now on.
  void StartTaking();
  // Calls JournalWriter::SetLimits for the journal of each lane. Call it after Settle. `budget_bytes` is for each lane.
  void SetJournalLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);
  // Flushes all views folded so far, and returns an error if a lane fails. UNAVAILABLE before StartFlushing, unless no
  // lane has ever taken a view.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Stops the flushers and waits until they have ended.
  boost::asio::awaitable<void> StopFlushing();
  // Processes the queued batches and ends the lanes' threads.
  void StopTaking();

  void SiteChanged(std::shared_ptr<const Site> site) override;

  // Sums over all lanes, surplus ones included, for metrics and status.
  uint64_t pending_views() const;
  uint64_t queued_bytes() const;
  uint64_t writers() const;
  uint64_t chunk_bytes() const;
  uint64_t journal_bytes() const;
  uint64_t journal_budget_bytes() const { return journal_budget_bytes_ * group_->lanes().size(); }
  // Returns why views are refused at the moment, in words for operators. Returns nothing while every lane accepts
  // views. Call it only while the lanes accept views: before that, a lane may still be replaced by another identity.
  std::optional<std::string> refusal() const;
  // Returns how many of the lanes that take views refuse every batch.
  uint64_t refusing_lanes() const;
  // Returns the age of the oldest pending view, or zero if nothing is pending.
  std::chrono::duration<double> oldest_pending_age() const;

  // The state of one lane at one moment.
  struct LaneState {
    LaneIdentity identity;
    Ledger::Totals totals;
    Lane::Counters counters;
    uint64_t writers = 0;
    const Ledger* ledger = nullptr;
  };
  std::vector<LaneState> states() const;

 private:
  explicit LaneSet(Dependencies parts) : parts_(parts) {}
  // FlushNow before StartFlushing: fails if any view was ever taken.
  absl::Status FlushedUnmet() const;
  void Maintain();
  // Logs that views are refused, or that they are accepted again.
  void ReportRefusal();
  // Returns the lanes that take views.
  std::span<const std::unique_ptr<LaneRuntime>> active() const {
    return std::span(group_->lanes()).first(group_->active_lanes());
  }
  // Returns the sum of `number_of(const LaneRuntime&)` over all lanes.
  template <typename NumberOf>
  uint64_t Sum(NumberOf number_of) const {
    uint64_t sum = 0;
    for (const auto& lane : group_->lanes()) sum += number_of(*lane);
    return sum;
  }

  const Dependencies parts_;
  // The journal budget of each lane. It differs from the options' value after a change.
  std::atomic<uint64_t> journal_budget_bytes_ = 0;
  std::atomic<std::chrono::milliseconds> journal_retention_ = limits::kJournalRetention;
  // The thread that reads journals.
  boost::asio::thread_pool blocking_{1};
  std::unique_ptr<LaneGroup> group_;
  // The flushers' coroutines. Null before StartFlushing.
  std::unique_ptr<WaitGroup> flushing_;
  std::atomic<bool> flushes_ = false;

  Mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  bool maintenance_ended_ ABSL_GUARDED_BY(maintenance_mutex_) = false;
  std::thread maintenance_;
  LogThrottle refusal_lines_;
};

}  // namespace viewcount
