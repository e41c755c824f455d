// Exact counts of articles: the store's, completed with what this process has not flushed.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/query/count_cache.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

struct Counts {
  // In the order asked.
  std::vector<ArticleTotals> totals;
  bool exact = true;
  // Of the oldest part, Unix milliseconds.
  int64_t as_of_unix_ms = 0;
};

// What it refers to must outlive it.
class CountReader {
 public:
  CountReader(CountStore& store, CountCache& cache, const Clock& clock) : store_(store), cache_(cache), clock_(clock) {}

  // Thread safe. An alias has the counts of the article it is counted for. The answer if every article was read within
  // limits::kCountCacheAge.
  std::optional<Counts> ReadCached(const Site& site, const std::vector<std::string>& ids);

  // On the store's executor. Reads what is not cached. While the store is away: last known counts and `exact` false, or
  // UNAVAILABLE with RetryInfo if one of the articles was never read.
  boost::asio::awaitable<absl::StatusOr<Counts>> Read(std::shared_ptr<const Site> site,
                                                      const std::vector<std::string>& ids);

  // On the store's executor. Exact counts of one moment, not from the cache: for every window, for every article in the
  // order asked, all of one shard; an alias has what is counted for itself, if anything. Below 0 only where another
  // instance has not flushed what makes up for it.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::vector<int64_t>>>> ReadWindows(
      const Site& site, Shard shard, const std::vector<Window>& windows, const std::vector<ArticleRef>& articles);

 private:
  // The articles of one shard, and where in the answer they belong.
  struct ShardQuestion {
    Shard shard;
    std::vector<ArticleRef> articles;
    std::vector<size_t> places;
  };

  boost::asio::awaitable<absl::Status> ReadShard(const Site& site, const ShardQuestion& question, Counts& counts);
  absl::Status AnswerFromCache(const Site& site, const ShardQuestion& question, const absl::Status& error,
                               Counts& counts);
  // Reads until the answer is no older than what this process knows. ABORTED if it never is.
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCompleted(const Site& site, Shard shard,
                                                                    const std::vector<ArticleRef>& articles,
                                                                    const std::vector<Window>& windows, bool remember);
  int64_t UnixMillisOf(SteadyTime time) const;

  CountStore& store_;
  CountCache& cache_;
  const Clock& clock_;
};

}  // namespace viewcount
