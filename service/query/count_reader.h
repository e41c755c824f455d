// Exact counts of articles: the store's, completed with what this process has not flushed.
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
  std::optional<Counts> ReadCached(const std::shared_ptr<const Site>& site, std::span<const std::string_view> ids);

  // On the store's executor. Reads all of them now. While the store is away: last known counts and `exact` false, or
  // UNAVAILABLE with RetryInfo if one of the articles was never read.
  boost::asio::awaitable<absl::StatusOr<Counts>> Read(std::shared_ptr<const Site> site,
                                                      const std::vector<std::string>& ids);

  // The same, but those that ReadCached would know are not read again.
  boost::asio::awaitable<absl::StatusOr<Counts>> ReadMissing(std::shared_ptr<const Site> site,
                                                             const std::vector<std::string>& ids);
  // On the store's executor, often: reads anew what is cached and asked for, and will soon be too old.
  boost::asio::awaitable<void> Refresh();

  // On the store's executor. Exact counts of one moment, not from the cache: for every window, for every article in the
  // order asked, all of one shard; an alias has what is counted for itself, if anything. Below 0 only where another
  // instance has not flushed what makes up for it.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::vector<int64_t>>>> ReadWindows(
      const Site& site, Shard shard, const std::vector<Window>& windows, const std::vector<ArticleRef>& articles);

 private:
  // The articles of one shard, and where in the answer they belong.
  struct ShardQuestion {
    std::vector<ArticleRef> articles;
    std::vector<size_t> places;
  };
  using Questions = std::map<Shard, ShardQuestion>;
  // A read of one shard for all who came while the one before it was under way.
  struct Round;

  // Puts what was read since `not_before` into `counts`, and the rest into what is returned.
  Questions Ask(const Site& site, const std::vector<std::string>& ids, SteadyTime not_before, Counts& counts);
  boost::asio::awaitable<absl::StatusOr<Counts>> Answer(std::shared_ptr<const Site> site, Questions questions,
                                                        Counts counts);
  boost::asio::awaitable<absl::Status> ReadShard(std::shared_ptr<const Site> site, Shard shard,
                                                 const ShardQuestion& question, Counts& counts);
  // Takes part in a round of the shard that begins from now on, until it is over. The articles must stay meanwhile; the
  // index of each in the round goes into `indexes`.
  boost::asio::awaitable<std::shared_ptr<const Round>> Join(std::shared_ptr<const Site> site, Shard shard,
                                                            const std::vector<ArticleRef>& articles,
                                                            std::vector<size_t>& indexes);
  boost::asio::awaitable<void> RefreshShard(Shard shard, std::vector<CountCache::Wanted> wanted);
  absl::Status AnswerFromCache(const Site& site, Shard shard, const ShardQuestion& question, const absl::Status& error,
                               Counts& counts);
  // Reads until the answer is no older than what this process knows. ABORTED if it never is.
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCompleted(const Site& site, Shard shard,
                                                                    const std::vector<ArticleRef>& articles,
                                                                    const std::vector<Window>& windows, bool remember);
  int64_t UnixMillisOf(SteadyTime time) const;

  CountStore& store_;
  CountCache& cache_;
  const Clock& clock_;
  // Of every shard: the round under way, and those that wait for it. On the store's executor.
  std::array<std::deque<std::shared_ptr<Round>>, limits::kShards> rounds_;
};

}  // namespace viewcount
