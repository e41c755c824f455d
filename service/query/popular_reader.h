// The most viewed articles of a window, exact: the union of the shards' bounded rankings, completed with what this
// process has not flushed.
//
// Why that is exact: among the highest N ≤ K of all, an article with nothing pending is among the highest K of its
// shard, and so ranked there. One that is not ranked needs pending views to get in; its count is at most its shard's
// lowest ranked one plus what is pending, and where that could reach the N-th place its exact count is read (the idea
// of Fagin's threshold algorithm: Fagin, Lotem, Naor, "Optimal aggregation algorithms for middleware", 2001).
//
// Adjustments that are pending may lower counts. Then a ranked article may have to make room for one that is not ranked
// and has nothing pending; nobody but the store knows that one, but it has no more views than its shard's lowest ranked
// count. So where a ranked article of a shard is lowered, the list is exact only if all of it lies above that count;
// else it says by how much it may be wrong, until the adjustment is flushed.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/query/count_reader.h"

namespace viewcount {

struct PopularArticle {
  std::string article_id;
  uint64_t views = 0;
};

struct PopularList {
  // By views falling, then ID rising; at most limits::kRankedAllTimeAndDay, none without views.
  std::vector<PopularArticle> articles;
  bool exact = true;
  // If not exact: no article that is missing has more.
  uint64_t error_bound = 0;
  int64_t as_of_unix_ms = 0;
};

// On the store's executor. What it refers to must outlive it.
class PopularReader {
 public:
  PopularReader(CountStore& store, CountCache& cache, CountReader& counts, std::vector<Ledger*> ledgers,
                const Clock& clock)
      : store_(store), cache_(cache), counts_(counts), ledgers_(std::move(ledgers)), clock_(clock) {}

  // `window`: all time or a day. UNAVAILABLE with RetryInfo while the store is away.
  boost::asio::awaitable<absl::StatusOr<PopularList>> Read(std::shared_ptr<const Site> site, Window window);

 private:
  // Everything that was read of the shards.
  struct Rankings {
    std::array<ShardRanking, limits::kShards> shards;
    // For every lane, every shard's cursor.
    std::vector<ShardCursors> cursors;
    absl::Status error;
  };
  // An article that is not ranked but has views pending.
  struct Contender {
    ArticleRef article;
    Shard shard;
    int64_t pending = 0;
    uint64_t views_max = 0;
  };
  struct Candidates;

  boost::asio::awaitable<void> ReadShard(const Site& site, Window window, Shard shard, Rankings& rankings);
  bool AddPending(const Site& site, Window window, const std::vector<Ledger::Mark>& marks, const Rankings& rankings,
                  Candidates& candidates) const;
  boost::asio::awaitable<absl::Status> ReadContenders(const Site& site, Window window, Candidates& candidates,
                                                      PopularList& list);

  CountStore& store_;
  CountCache& cache_;
  CountReader& counts_;
  const std::vector<Ledger*> ledgers_;
  const Clock& clock_;
};

}  // namespace viewcount
