// The exact totals of a site in windows of one moment: the shards' sums, completed with what this process has not
// flushed.
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
  // For every window asked; start value included in that of all time. Below 0 only where another instance has not
  // flushed what makes up for it.
  std::vector<int64_t> views;
  // For every lane, Ledger::Still::Folded of the moment of which the totals are.
  std::vector<int64_t> folded;
};

// On the store's executor. What it refers to must outlive it.
class SiteTotalReader {
 public:
  SiteTotalReader(CountStore& store, CountCache& cache, std::vector<Ledger*> ledgers)
      : store_(store), cache_(cache), ledgers_(std::move(ledgers)) {}

  // At least one window; one read of each shard, however many. What is pending is added last, just before it returns:
  // the totals contain whatever was acknowledged until then. UNAVAILABLE with RetryInfo while the store is away.
  boost::asio::awaitable<absl::StatusOr<WindowTotals>> Read(std::shared_ptr<const Site> site,
                                                            std::vector<Window> windows);

  const std::vector<Ledger*>& ledgers() const { return ledgers_; }

 private:
  // What was read of all shards.
  struct Sums {
    std::vector<int64_t> stored;
    // For every lane, every shard's cursor.
    std::vector<ShardCursors> cursors;
    absl::Status error;
  };

  boost::asio::awaitable<void> ReadShard(const Site& site, const std::vector<Window>& windows, Shard shard, Sums& sums);
  // Nothing if a chunk came and went since the marks: read again.
  std::optional<WindowTotals> Complete(const Site& site, const std::vector<Window>& windows,
                                       const std::vector<Ledger::Mark>& marks, const Sums& sums) const;

  CountStore& store_;
  CountCache& cache_;
  const std::vector<Ledger*> ledgers_;
};

}  // namespace viewcount
