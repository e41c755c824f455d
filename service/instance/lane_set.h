// Owns all lanes of a process, with everything that exists once per lane.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/log_throttle.h"
#include "service/base/wait_group.h"
#include "service/flush/flusher.h"
#include "service/lane/lane.h"
#include "service/lane/lane_directory.h"
#include "service/lane/recovery.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// The lanes of this process. They start in steps, because the journals are read before the store is available, and the
// store's cursors before any view is counted. The steps are Open, Settle, the cache over the lanes, StartFlushing,
// StartTaking.
//
// Views can also be taken while the store is unavailable. Then the steps are Open, BeginUnchecked, the cache over the
// lanes, StartTaking. When the store becomes available, Settle and StartFlushing follow.
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
    // The number of lanes. With 0, Settle brings all existing lanes into the store and removes them.
    uint32_t count = 1;
    uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
    std::chrono::milliseconds journal_retention = limits::kJournalRetention;
  };
  // Locks the folders of the lanes and reads their journals. Sites that the journals name are put into the directory.
  static absl::StatusOr<std::unique_ptr<LaneSet>> Open(Dependencies parts, Options options);
  ~LaneSet() override;

  // Prepares the lanes for the store. It records this start on disk. It gives up an identity if the store has more of
  // the lane than its journal. It brings surplus lanes, beyond the configured number, into the store and removes them.
  //
  // Runs on the executor's thread. Before BeginUnchecked nothing else may use the lanes meanwhile. An error may be
  // temporary: call it again.
  //
  // ABORTED with reason FENCED if the store has more of a lane than its journal, and views were taken since the two
  // were last compared. `viewcount journal drain --as-new` brings those views into the store.
  boost::asio::awaitable<absl::Status> Settle(CountStore& store);

  // Allows views to be taken before the lanes were compared with the store. From now on no lane changes its identity.
  // It records on disk where each lane's journal ends. Call it on the thread of Settle, before Settle has returned OK.
  // After an error no views may be taken.
  absl::Status BeginUnchecked();

  // Returns the number of pending views of the lanes that Settle has removed.
  uint64_t retired_views() const { return retired_views_; }

  // Returns the lanes for CountCache. Call it, lanes() and ledgers() after Settle or BeginUnchecked, because a lane may
  // be replaced before.
  std::vector<CountCache::Lane> cached_lanes();
  std::vector<Lane*> lanes();
  std::vector<Ledger*> ledgers();

  struct FlushParts {
    CountStore& store;
    AppliedListener& listener;
    std::chrono::milliseconds interval;
    // See Flusher::Options.
    std::function<void(const absl::Status&)> fenced;
  };
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

  // Sums over all lanes, for metrics and status.
  uint64_t pending_views() const;
  uint64_t queued_bytes() const;
  uint64_t writers() const;
  uint64_t chunk_bytes() const;
  uint64_t journal_bytes() const;
  uint64_t journal_budget_bytes() const { return journal_budget_bytes_ * entries_.size(); }
  // Returns why views are refused at the moment, in words for operators. Returns nothing while every lane accepts
  // views. Call it only while the lanes accept views: before that, a lane may still be replaced by another identity.
  std::optional<std::string> refusal() const;
  // Returns how many lanes refuse every batch.
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
  // A lane and its parts. They are declared in the order in which they are made, and destroyed in the opposite order.
  struct Entry {
    explicit Entry(LaneDirectory opened) : directory(std::move(opened)) {}
    LaneDirectory directory;
    std::unique_ptr<JournalSource> source;
    std::unique_ptr<JournalWriter> journal;
    std::unique_ptr<Ledger> ledger;
    std::unique_ptr<Flusher> flusher;
    std::unique_ptr<Lane> lane;
    // True after BeginUnchecked: the lane takes views, or will, before it was compared with the store. Its parts then
    // stay as they are.
    bool unchecked = false;
  };
  using Entries = std::vector<std::unique_ptr<Entry>>;

  LaneSet(Dependencies parts, Options options)
      : parts_(parts), options_(std::move(options)), journal_budget_bytes_(options_.journal_budget_bytes) {}
  absl::StatusOr<std::unique_ptr<Entry>> OpenEntry(uint32_t number);
  // Reads the journal of the entry's folder and creates the entry's parts.
  absl::Status Fill(Entry& entry);
  // Moves every writer's entry to the lane that receives the writer's batches with the present number of lanes.
  absl::Status MoveWriters();
  boost::asio::awaitable<absl::Status> SettleIdentity(CountStore& store, Entry& entry);
  absl::Status Abandon(Entry& entry);
  // Handles a lane of which the store has more than its journal had at the last comparison, while views were taken
  // since. It keeps those views for `viewcount journal drain --as-new`. Returns the error with which the process ends.
  absl::Status FenceOff(const Entry& entry, std::string_view stored);
  // FlushNow before StartFlushing: fails if any view was ever taken.
  absl::Status FlushedUnmet() const;
  boost::asio::awaitable<absl::Status> Retire(CountStore& store, Entry& entry);
  Flusher::Dependencies FlusherParts(Entry& entry, CountStore& store, AppliedListener& listener);
  Flusher::Options FlusherOptions(Entry& entry, const FlushParts& parts);
  void Maintain();
  // Logs that views are refused, or that they are accepted again.
  void ReportRefusal();
  // Returns the sum of `number_of(const Entry&)` over all lanes.
  template <typename NumberOf>
  uint64_t Sum(NumberOf number_of) const {
    uint64_t sum = 0;
    for (const auto& entry : entries_) sum += number_of(*entry);
    return sum;
  }

  const Dependencies parts_;
  const Options options_;
  // The journal budget of each lane. It differs from the options' value after a change.
  std::atomic<uint64_t> journal_budget_bytes_;
  // The thread that reads journals.
  boost::asio::thread_pool blocking_{1};
  Entries entries_;
  // Lanes that remain from an earlier start with more lanes. Each is removed when the store has all of its views.
  Entries surplus_;
  uint64_t retired_views_ = 0;
  // The flushers' coroutines. Null before StartFlushing.
  std::unique_ptr<WaitGroup> flushing_;
  std::atomic<bool> flushes_ = false;

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  bool maintenance_ended_ = false;
  std::thread maintenance_;
  LogThrottle refusal_lines_;
};

}  // namespace viewcount
