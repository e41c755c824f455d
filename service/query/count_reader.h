// Exact counts of articles: the store's counts plus the views that this process has not flushed.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/query/count_cache.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

struct Counts {
  // In the order of the request.
  std::vector<ArticleTotals> totals;
  bool exact = true;
  // When the oldest of the counts was read, Unix milliseconds.
  int64_t as_of_unix_ms = 0;
};

// Reads counts of articles. Used on the store's executor, except for ReadCached. Everything that it refers to must
// outlive it.
class CountReader {
 public:
  CountReader(CountStore& store, CountCache& cache, const Clock& clock) : store_(store), cache_(cache), clock_(clock) {}

  // Thread-safe. Returns the counts if every article was read within limits::kCountCacheAge. An alias has the counts of
  // the article it is counted for.
  std::optional<Counts> ReadCached(const std::shared_ptr<const Site>& site, std::span<const std::string_view> ids);

  // Reads all counts from the store now. If the store is unreachable, returns the last known counts with `exact` false.
  // In that case returns UNAVAILABLE with RetryInfo if one of the articles was never read.
  boost::asio::awaitable<absl::StatusOr<Counts>> Read(std::shared_ptr<const Site> site,
                                                      const std::vector<std::string>& ids);

  // Like Read, but uses the cache for every article that ReadCached would know.
  boost::asio::awaitable<absl::StatusOr<Counts>> ReadMissing(std::shared_ptr<const Site> site,
                                                             const std::vector<std::string>& ids);
  // Called often. Reads requested articles again whose cached counts will soon be too old.
  boost::asio::awaitable<void> Refresh();

  // Returns exact counts of one moment, not from the cache: for every window, for every article in the order requested.
  // All articles must be of `shard`. Aliases are not resolved: an alias has only the views that are counted for itself.
  // A count is below 0 only where another instance has not flushed the views that compensate for it.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::vector<int64_t>>>> ReadWindows(
      const Site& site, Shard shard, const std::vector<Window>& windows, const std::vector<ArticleRef>& articles);

 private:
  // The requested articles of one shard, and their places in the answer.
  struct ShardQuestion {
    std::vector<ArticleRef> articles;
    std::vector<size_t> places;
  };
  using Questions = std::map<Shard, ShardQuestion>;
  // One read of a shard. It serves all requests that came while the previous read was under way.
  struct Round;

  // Fills `counts` with the articles that were read since `not_before`, and returns the others.
  Questions Ask(const Site& site, const std::vector<std::string>& ids, SteadyTime not_before, Counts& counts);
  boost::asio::awaitable<absl::StatusOr<Counts>> Answer(std::shared_ptr<const Site> site, Questions questions,
                                                        Counts counts);
  boost::asio::awaitable<absl::Status> ReadShard(std::shared_ptr<const Site> site, Shard shard,
                                                 const ShardQuestion& question, Counts& counts);
  // Joins a round of the shard that begins after this call, and waits until it is over. The articles must stay valid
  // meanwhile. The index of each article in the round is put into `indexes`.
  boost::asio::awaitable<std::shared_ptr<const Round>> Join(std::shared_ptr<const Site> site, Shard shard,
                                                            const std::vector<ArticleRef>& articles,
                                                            std::vector<size_t>& indexes);
  boost::asio::awaitable<void> RefreshShard(Shard shard, std::vector<CountCache::Wanted> wanted);
  absl::Status AnswerFromCache(const Site& site, Shard shard, const ShardQuestion& question, const absl::Status& error,
                               Counts& counts);
  // Reads until the answer is no older than the state that this process knows. ABORTED if it never is.
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCompleted(const Site& site, Shard shard,
                                                                    const std::vector<ArticleRef>& articles,
                                                                    const std::vector<Window>& windows, bool remember);
  int64_t UnixMillisOf(SteadyTime time) const;

  CountStore& store_;
  CountCache& cache_;
  const Clock& clock_;
  // For every shard: the round under way, then those that wait for it. Used on the store's executor only.
  std::array<std::deque<std::shared_ptr<Round>>, limits::kShards> rounds_;
};

}  // namespace viewcount
