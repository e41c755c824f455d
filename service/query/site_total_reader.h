// The exact totals of a site in several windows at one moment. They are the shards' sums plus the views that this
// process has not flushed.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "service/query/count_cache.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

struct WindowTotals {
  // One total for each window. The total of all time includes the start value. A total is below 0 only where another
  // instance has not flushed the views that compensate for it.
  std::vector<int64_t> views;
  // For every lane, Ledger::LockedView::Folded at the moment of the totals.
  std::vector<int64_t> folded;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class SiteTotalReader {
 public:
  SiteTotalReader(CountStore& store, CountCache& cache, std::vector<Ledger*> ledgers)
      : store_(store), cache_(cache), ledgers_(std::move(ledgers)) {}

  // Reads the totals of at least one window. Reads each shard once, whatever the number of windows. Pending views are
  // added last, just before the function returns. So the totals include all views that were acknowledged until then.
  // UNAVAILABLE with RetryInfo while the store is unreachable.
  boost::asio::awaitable<absl::StatusOr<WindowTotals>> Read(std::shared_ptr<const Site> site,
                                                            std::vector<Window> windows);

  const std::vector<Ledger*>& ledgers() const { return ledgers_; }

 private:
  // The sums read from all shards.
  struct Sums {
    // The cursors that this process knew when the read began.
    std::vector<ShardCursors> known;
    std::vector<int64_t> stored;
    // For every lane, the cursor of every shard.
    std::vector<ShardCursors> cursors;
    absl::Status error;
  };

  boost::asio::awaitable<void> ReadShard(const Site& site, const std::vector<Window>& windows, Shard shard, Sums& sums);
  // Returns nothing if a chunk was sealed and dropped since the marks: read again.
  std::optional<WindowTotals> Complete(const Site& site, const std::vector<Window>& windows,
                                       const std::vector<Ledger::Snapshot>& marks, const Sums& sums) const;

  CountStore& store_;
  CountCache& cache_;
  const std::vector<Ledger*> ledgers_;
};

}  // namespace viewcount
