// All lanes of a process with everything that is made once per lane.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/base/wait_group.h"
#include "service/flush/flusher.h"
#include "service/lane/lane.h"
#include "service/lane/lane_directory.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Made in two steps, because sites must reach the lanes before the flushers can name them. Thread safety is that of the
// things it holds.
class LaneSet final : public SiteListener {
 public:
  // Locks the folders of `count` lanes under `data_dir` and starts their threads.
  static absl::StatusOr<std::unique_ptr<LaneSet>> Open(const std::string& data_dir, uint32_t count, const Clock& clock,
                                                       Metrics& metrics);
  ~LaneSet() override;

  // For CountCache.
  std::vector<CountCache::Lane> cached_lanes();
  std::vector<Lane*> lanes();
  std::vector<Ledger*> ledgers();

  struct FlushParts {
    CountStore& store;
    const SiteDirectory& sites;
    AppliedListener& listener;
    std::chrono::milliseconds interval;
    // See Flusher::Options.
    std::function<void(const absl::Status&)> fenced;
  };
  // On the executor's thread: begins to flush.
  void StartFlushing(boost::asio::any_io_executor executor, FlushParts parts);
  // Flushes everything folded so far; the first error of a lane.
  boost::asio::awaitable<absl::Status> FlushNow(std::chrono::milliseconds timeout);
  // Ends the flushers, and waits until they have ended.
  boost::asio::awaitable<void> StopFlushing();
  // Handles what is queued and ends the threads.
  void StopTaking();

  // Removes lanes of earlier starts from the store, and makes this start's known on disk. Before StartFlushing.
  boost::asio::awaitable<absl::Status> ForgetRetired(CountStore& store);
  // Removes this start's lanes from the store; only when everything is flushed and the flushers have stopped.
  boost::asio::awaitable<absl::Status> Retire(CountStore& store);

  void SiteChanged(std::shared_ptr<const Site> site) override;

  // Over all lanes, for metrics and status.
  uint64_t pending_views() const;
  uint64_t queued_bytes() const;
  uint64_t writers() const;
  uint64_t chunk_bytes() const;
  // Zero if nothing is pending.
  std::chrono::duration<double> oldest_pending_age() const;

  struct LaneState {
    LaneId id;
    Ledger::Totals totals;
    uint64_t writers = 0;
  };
  std::vector<LaneState> states() const;

 private:
  struct Entry {
    Entry(LaneDirectory opened, const Clock& clock, Metrics& metrics);
    LaneDirectory directory;
    LaneIdentity identity;
    Ledger ledger;
    std::unique_ptr<Flusher> flusher;
    Lane lane;
  };

  LaneSet(const Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}
  // Adds up what `number_of(const Entry&)` says of every lane.
  template <typename NumberOf>
  uint64_t Sum(NumberOf number_of) const {
    uint64_t sum = 0;
    for (const auto& entry : entries_) sum += number_of(*entry);
    return sum;
  }
  boost::asio::awaitable<absl::Status> RemoveEverywhere(CountStore& store, const std::vector<LaneId>& lanes);

  const Clock& clock_;
  Metrics& metrics_;
  std::vector<std::unique_ptr<Entry>> entries_;
  // Of an earlier start with more lanes; gone once the store has forgotten them.
  std::vector<LaneDirectory> surplus_;
  // The flushers' coroutines.
  std::unique_ptr<WaitGroup> flushing_;
};

}  // namespace viewcount
