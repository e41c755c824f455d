// The most viewed articles of a window, exact: what the shards rank, completed with what this process has not flushed.
//
// Reading the rankings of all shards is the dear part, so it is done once for all who ask, and kept for at most
// limits::kCountCacheAge (while they are being read anew, some times that): what this instance takes meanwhile is added
// to every answer, see RankedWindow. Refresh reads them anew before they are too old, so that nobody who asks often has
// to wait for Redis.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/query/count_cache.h"
#include "service/query/pending_since.h"
#include "service/query/ranked_window.h"

namespace viewcount {

// What it refers to must outlive it.
class PopularReader {
 public:
  PopularReader(CountStore& store, CountCache& cache, std::vector<Ledger*> ledgers, const Clock& clock)
      : store_(store), cache_(cache), ledgers_(std::move(ledgers)), clock_(clock) {}

  // Thread safe. `window`: all time or a day. The answer if the rankings were read within limits::kCountCacheAge.
  std::optional<PopularList> ReadCached(const Site& site, Window window);
  // On the store's executor. From rankings read now, or by one who is at it. While the store is away: the list as it
  // was read last, with what was counted here since, `exact` false; UNAVAILABLE with RetryInfo if it is not known.
  boost::asio::awaitable<absl::StatusOr<PopularList>> Read(std::shared_ptr<const Site> site, Window window);

  // On the store's executor, often: reads anew what was asked for and will soon be too old, and lets go of what is.
  // While the store is away nothing is let go of.
  boost::asio::awaitable<void> Refresh();

 private:
  using Key = std::pair<SiteIndex, Window>;
  // Rankings that were read.
  struct Entry;
  // A read of rankings that is under way, and those who wait for it.
  struct Reading;
  struct Flight;
  // A list as it was.
  struct Last {
    PopularList list;
    LedgerMoment moment;
    SteadyTime made_at;
  };

  // Null if there is none.
  std::shared_ptr<Entry> Find(const Key& key);
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<Entry>>> Join(std::shared_ptr<const Site> site, Window window);
  std::shared_ptr<Reading> Begin() const;
  boost::asio::awaitable<absl::Status> ReadShards(const Site& site, Window window, RankedWindow::Rankings& rankings);
  boost::asio::awaitable<void> ReadShard(const Site& site, Window window, Shard shard, RankedWindow::Rankings& rankings,
                                         absl::Status& error);
  // Who had to be asked for beside the rankings of before, if there are any.
  std::vector<RankedWindow::Contender> Followed(const Key& key);
  // Reads what questions to come would have to wait for, `contenders` first.
  boost::asio::awaitable<void> ReadAhead(Entry& entry, std::vector<RankedWindow::Contender> contenders);
  void Keep(const std::shared_ptr<Entry>& entry);
  // The list that an entry makes now, for the time when the entry is gone.
  void Remember(Entry& entry);
  // What is known without the store.
  std::optional<PopularList> Recall(const Site& site, Window window);
  std::optional<PopularList> RecallLast(const Site& site, Window window);
  // Nothing if the entry's rankings must be read again.
  boost::asio::awaitable<absl::StatusOr<std::optional<PopularList>>> AnswerFrom(std::shared_ptr<Entry> entry);
  boost::asio::awaitable<absl::Status> ReadContenders(Entry& entry, const std::vector<RankedWindow::Contender>& asked);
  boost::asio::awaitable<void> ReadContendersOf(Entry& entry, Shard shard,
                                                const std::vector<RankedWindow::Contender>& asked, absl::Status& error);

  CountStore& store_;
  CountCache& cache_;
  const std::vector<Ledger*> ledgers_;
  const Clock& clock_;
  // On the store's executor.
  std::map<Key, std::shared_ptr<Flight>> flights_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
  std::map<Key, Last> last_;
  // The last read found no store.
  bool away_ = false;
};

}  // namespace viewcount
