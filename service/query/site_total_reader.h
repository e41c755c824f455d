// The exact total of a site in one window: the shards' sums, completed with what this process has not flushed.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "service/query/count_cache.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// On the store's executor. What it refers to must outlive it.
class SiteTotalReader {
 public:
  SiteTotalReader(CountStore& store, CountCache& cache, std::vector<Ledger*> ledgers)
      : store_(store), cache_(cache), ledgers_(std::move(ledgers)) {}

  // Start value included; below 0 only where another instance has not flushed what makes up for it. UNAVAILABLE with
  // RetryInfo while the store is away.
  boost::asio::awaitable<absl::StatusOr<int64_t>> Read(std::shared_ptr<const Site> site, Window window);

 private:
  // What was read of all shards.
  struct Sums {
    int64_t stored = 0;
    // For every lane, every shard's cursor.
    std::vector<ShardCursors> cursors;
    absl::Status error;
  };

  boost::asio::awaitable<void> ReadShard(const Site& site, Window window, Shard shard, Sums& sums);

  CountStore& store_;
  CountCache& cache_;
  const std::vector<Ledger*> ledgers_;
};

}  // namespace viewcount
