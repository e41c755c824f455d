// All lanes of a process with everything that is made once per lane.
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

// Comes to life in steps, because the journals are read before there is a store, and the store's cursors before
// anything is counted: Open, Settle, then the cache over the lanes, StartFlushing, StartTaking. While the store is away
// views are taken all the same: then the steps are Open, BeginUnchecked, the cache over the lanes, StartTaking, and
// when the store comes Settle and StartFlushing. Thread safety is that of the things it holds.
class LaneSet final : public SiteListener {
 public:
  struct Parts {
    Disk& disk;
    SiteDirectory& sites;
    const Clock& clock;
    Metrics& metrics;
  };
  struct Options {
    std::string data_dir;
    // 0: all lanes that are there are brought into the store and removed.
    uint32_t count = 1;
    uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
    std::chrono::milliseconds journal_retention = limits::kJournalRetention;
  };
  // Locks the folders of the lanes and reads their journals. Sites that these name are put into the directory.
  static absl::StatusOr<std::unique_ptr<LaneSet>> Open(Parts parts, Options options);
  ~LaneSet() override;

  // Makes the present start known on disk; gives up identities whose journal is older than what the store has; brings
  // lanes beyond the configured number into the store and removes them. On the executor's thread. Without
  // BeginUnchecked nothing else may use the lanes meanwhile. An error may pass: call it again. ABORTED with reason
  // FENCED if the store knows more of a lane than its journal, and views were taken since the journal was last compared
  // with the store: they are brought in by `viewcount journal drain --as-new`.
  boost::asio::awaitable<absl::Status> Settle(CountStore& store);

  // From now on views may be taken though the store was not met: no lane changes its identity any more. Notes on disk
  // where each lane's journal ends. On the thread of Settle, before it has returned OK. After an error none may be
  // taken.
  absl::Status BeginUnchecked();

  // Views that lanes removed by Settle still had to bring.
  uint64_t retired_views() const { return retired_views_; }

  // For CountCache; after Settle or BeginUnchecked.
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
  // On the executor's thread, after Settle: takes from the journals what the store does not have, then begins to flush.
  // An error may pass: call it again.
  boost::asio::awaitable<absl::Status> StartFlushing(FlushParts parts);
  // StartFlushing has succeeded. Thread safe.
  bool flushes() const { return flushes_; }
  // Lets batches in.
  void StartTaking();
  // As JournalWriter::SetLimits, for the journal of each lane. After Settle.
  void SetJournalLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);
  // Flushes everything folded so far; the first error of a lane. UNAVAILABLE before StartFlushing, unless no lane has
  // ever taken a view.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Ends the flushers, and waits until they have ended.
  boost::asio::awaitable<void> StopFlushing();
  // Handles what is queued and ends the threads.
  void StopTaking();

  void SiteChanged(std::shared_ptr<const Site> site) override;

  // Over all lanes, for metrics and status.
  uint64_t pending_views() const;
  uint64_t queued_bytes() const;
  uint64_t writers() const;
  uint64_t chunk_bytes() const;
  uint64_t journal_bytes() const;
  uint64_t journal_budget_bytes() const { return journal_budget_bytes_ * entries_.size(); }
  // Why views are refused at the moment, for operators; nothing while every lane takes them. While the lanes take views
  // only: before that a lane may still give itself up for another.
  std::optional<std::string> refusal() const;
  // Lanes that refuse every batch.
  uint64_t refusing_lanes() const;
  // Zero if nothing is pending.
  std::chrono::duration<double> oldest_pending_age() const;

  struct LaneState {
    LaneIdentity identity;
    Ledger::Totals totals;
    Lane::Counters counters;
    uint64_t writers = 0;
    const Ledger* ledger = nullptr;
  };
  std::vector<LaneState> states() const;

 private:
  // Its parts in the order they are made; what goes first is made last.
  struct Entry {
    explicit Entry(LaneDirectory opened) : directory(std::move(opened)) {}
    LaneDirectory directory;
    std::unique_ptr<JournalSource> source;
    std::unique_ptr<JournalWriter> journal;
    std::unique_ptr<Ledger> ledger;
    std::unique_ptr<Flusher> flusher;
    std::unique_ptr<Lane> lane;
    // It takes views, or will, though the store may not have been met: its parts stay as they are.
    bool unchecked = false;
  };
  using Entries = std::vector<std::unique_ptr<Entry>>;

  LaneSet(Parts parts, Options options)
      : parts_(parts), options_(std::move(options)), journal_budget_bytes_(options_.journal_budget_bytes) {}
  absl::StatusOr<std::unique_ptr<Entry>> OpenEntry(uint32_t number);
  // Reads the journal of the entry's folder and makes its parts.
  absl::Status Fill(Entry& entry);
  // Brings every writer to the lane that its batches go to now.
  absl::Status MoveWriters();
  boost::asio::awaitable<absl::Status> SettleIdentity(CountStore& store, Entry& entry);
  absl::Status Abandon(Entry& entry);
  // The store knows more of the lane than its journal had when it was last compared with the store, and views were
  // taken since: has them kept for `viewcount journal drain --as-new`. Returns what the process ends with.
  absl::Status FenceOff(const Entry& entry, std::string_view stored);
  // FlushNow before StartFlushing.
  absl::Status FlushedUnmet() const;
  boost::asio::awaitable<absl::Status> Retire(CountStore& store, Entry& entry);
  Flusher::Parts FlusherParts(Entry& entry, CountStore& store, AppliedListener& listener);
  Flusher::Options FlusherOptions(Entry& entry, const FlushParts& parts);
  void Maintain();
  // Logs that views are refused, or taken again.
  void ReportRefusal();
  // Adds up what `number_of(const Entry&)` says of every lane.
  template <typename NumberOf>
  uint64_t Sum(NumberOf number_of) const {
    uint64_t sum = 0;
    for (const auto& entry : entries_) sum += number_of(*entry);
    return sum;
  }

  const Parts parts_;
  const Options options_;
  // Of each lane; differs from the options' once it was changed.
  std::atomic<uint64_t> journal_budget_bytes_;
  // Reads journals.
  boost::asio::thread_pool blocking_{1};
  Entries entries_;
  // Of an earlier start with more lanes; gone once the store has everything of them.
  Entries surplus_;
  uint64_t retired_views_ = 0;
  // The flushers' coroutines.
  std::unique_ptr<WaitGroup> flushing_;
  std::atomic<bool> flushes_ = false;

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  bool maintenance_ended_ = false;
  std::thread maintenance_;
  LogThrottle refusal_lines_;
};

}  // namespace viewcount
