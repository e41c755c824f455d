// One lane with everything that exists once per lane. The service, `viewcount journal drain` and the simulation
// assemble their lanes here and nowhere else.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/limits.h"
#include "service/flush/flusher.h"
#include "service/lane/lane.h"
#include "service/lane/lane_directory.h"
#include "service/lane/ledger.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

// A lane and its parts. Thread safety is that of the parts: `Lane`, `Ledger`, `JournalWriter`. Coroutines run on the
// store's executor. The objects in Dependencies must outlive it.
class LaneRuntime {
 public:
  struct Dependencies {
    Disk& disk;
    SiteDirectory& sites;
    const Clock& clock;
    Metrics& metrics;
    // The executor for reading the journal, which may block.
    boost::asio::any_io_executor blocking;
  };
  // The journal of another lane.
  struct ForeignJournal {
    std::string folder;
    LaneId lane;
  };
  struct Options {
    uint64_t journal_budget_bytes = limits::kJournalBudgetBytes;
    std::chrono::milliseconds journal_retention = limits::kJournalRetention;
    // The size of a segment in bytes. Without it, a quarter of the budget within the limits for segments.
    std::optional<uint64_t> segment_bytes = {};
    // See Flusher::Options.
    size_t part_articles_max = limits::kFlushPartArticlesMax;
    // See Lane::Dependencies.
    std::function<void(const absl::Status&)> failed = {};
    // A journal to read instead of the one in the lane's own folder. Such a lane only drains.
    std::optional<ForeignJournal> journal = {};
  };
  // Reads the journal, and creates the parts. Blocks. Sites that the journal names are put into the directory. Errors
  // are those of RecoverLane.
  static absl::StatusOr<std::unique_ptr<LaneRuntime>> Open(Dependencies parts, Options options,
                                                           LaneDirectory directory);

  LaneDirectory& directory() { return directory_; }
  const LaneDirectory& directory() const { return directory_; }
  const LaneIdentity& identity() const { return directory_.identity(); }
  // Settle may replace these three, but not after BeginUnchecked.
  JournalWriter& journal() const { return *journal_; }
  Ledger& ledger() const { return *ledger_; }
  Lane& lane() const { return *lane_; }
  CountCache::Lane cached() const { return {ledger_.get(), identity().incarnation}; }
  // Returns null before Recover.
  Flusher* flusher() const { return flusher_.get(); }
  // Destroys the flusher. Call it when the executor, to which its timers belong, ends before the lane.
  void DropFlusher() { flusher_.reset(); }

  // Allows views to be taken before the lane was compared with the store. From now on the identity stays. It records on
  // disk where the journal ends. Call it on the thread of Settle. After an error no views may be taken.
  absl::Status BeginUnchecked();
  // Compares the journal with the store, and records this start on disk. Gives up the identity if the store has more of
  // the lane than its journal. Errors are those of the store and the disk. ABORTED with reason FENCED if the store has
  // more, and views were taken since the two were last compared.
  boost::asio::awaitable<absl::Status> Settle(CountStore& store);

  struct FlushParts {
    CountStore& store;
    AppliedListener& listener;
    std::chrono::milliseconds interval{1'000};
    // See Flusher::Options.
    std::function<void(const absl::Status&)> fenced;
  };
  // Creates the flusher, and takes from the journal the views that the store does not have. Call it after Settle, and
  // again after a temporary error. Errors are those of Settle and Flusher::Recover.
  boost::asio::awaitable<absl::Status> Recover(const FlushParts& parts);

  // Returns true if the store has everything of the lane, and got the last of it at least `duration` ago. Thread-safe,
  // but call it after Recover.
  bool StoredSince(std::chrono::milliseconds duration) const;

  // Brings every view of the journal into the store. May be called again after an error. Errors are those of
  // Flusher::Recover and Flusher::Step.
  boost::asio::awaitable<absl::Status> Drain(CountStore& store);
  // Returns the number of views that were pending when Drain began.
  uint64_t drained_views() const { return drained_views_; }
  // Removes the folder of a drained lane and its entries in the store.
  boost::asio::awaitable<absl::Status> Remove(CountStore& store);

 private:
  LaneRuntime(Dependencies parts, Options options, LaneDirectory directory);
  absl::Status Fill();
  Flusher::Dependencies FlusherParts(CountStore& store, AppliedListener* listener);
  Flusher::Options FlusherOptions(std::function<void(const absl::Status&)> fenced);
  void MakeFlusher(const boost::asio::any_io_executor& executor, const FlushParts& parts);
  absl::Status Abandon();
  // Handles a lane of which the store has more than its journal had at the last comparison, while views were taken
  // since. It keeps those views for `viewcount journal drain --as-new`. Returns the error with which the process ends.
  absl::Status FenceOff(std::string_view stored) const;

  const Dependencies parts_;
  const Options options_;
  LaneDirectory directory_;
  // The parts in the order in which they are made.
  std::unique_ptr<JournalSource> source_;
  std::unique_ptr<JournalWriter> journal_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<Lane> lane_;
  // True after BeginUnchecked.
  bool unchecked_ = false;
  uint64_t drained_views_ = 0;
  // When the flusher last released a chunk, or was created.
  std::atomic<SteadyTime> released_at_;
};

// Removes a lane's entries from every shard of the store. An error is logged, since a remaining entry does no harm.
boost::asio::awaitable<void> ForgetLane(CountStore& store, LaneId lane);

}  // namespace viewcount
