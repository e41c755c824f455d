// The most viewed articles of a window, exact: the shards' rankings plus the views that this process has not flushed.
// In place of one window there may be several, whose views are added up, such as 24 hours.
//
// Reading the rankings of all shards is the expensive part. So they are read once for all requests, and kept for at
// most limits::kCountCacheAge, or some times that while they are being read again. Views that this instance takes
// meanwhile are added to every answer, see RankedWindow. Refresh reads the rankings again before they are too old. So
// frequent requests need not wait for Redis. Rankings of many windows are kept longer, so that reading them takes only
// a small part of Redis' time.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "service/base/async_event.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/query/count_cache.h"
#include "service/query/list_limits.h"
#include "service/query/pending_since.h"
#include "service/query/ranked_window.h"
#include "service/query/window_memory.h"
#include "service/store/count_store.h"

namespace viewcount {

// Reads popular lists. Each function states the thread that may call it. Everything that it refers to must outlive it.
class PopularReader {
 public:
  PopularReader(CountStore& store, CountCache& cache, std::vector<Ledger*> ledgers, const Clock& clock)
      : store_(store), cache_(cache), ledgers_(std::move(ledgers)), clock_(clock) {}

  // A list.
  struct Question {
    // All time, a day, or several days and hours in ascending order. With weights, the list has weighted sums.
    WeightedWindows windows = std::vector{Window{}};
    // The length of the list. The longer it is, the more likely it is not exact.
    size_t places = limits::kRankedAllTimeAndDay;

    // Returns whether its rankings must be added up.
    bool is_sum() const { return windows.windows.size() > 1 || windows.has_weights(); }

    auto operator<=>(const Question&) const = default;
  };

  // Thread-safe. Returns the list if the rankings were read recently.
  std::optional<PopularList> ReadCached(const Site& site, const Question& question);
  // Used on the store's executor. Uses rankings that are read now, or joins a read that is under way. If the store is
  // unreachable, returns the last known list plus the views counted here since, with `exact` false. UNAVAILABLE with
  // RetryInfo if no list is known.
  // With kDrop the rankings serve this read only, and push out none that are kept.
  enum class Afterwards : uint8_t { kKeep, kDrop };
  boost::asio::awaitable<absl::StatusOr<PopularList>> Read(std::shared_ptr<const Site> site, Question question,
                                                           Afterwards afterwards = Afterwards::kKeep);

  // Used on the store's executor; called often. Reads requested rankings again that will soon be too old, and drops
  // those that are too old. Drops none while the store is unreachable.
  boost::asio::awaitable<void> Refresh();

 private:
  using Key = std::pair<SiteIndex, Question>;
  // Rankings that were read.
  struct Entry;
  // Reading is the state of a read of rankings; Flight lets other requests wait for that read.
  struct Reading;
  struct Flight;
  // A list at the time when it was made.
  struct Last {
    PopularList list;
    LedgerMoment moment;
    SteadyTime made_at;
  };

  // Returns null if there is none.
  std::shared_ptr<Entry> Find(const Key& key);
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<Entry>>> Join(std::shared_ptr<const Site> site,
                                                                      Question question, Afterwards afterwards);
  void Begin(Reading& reading) const;
  // Waits until few enough other lists of several windows are being read. RESOURCE_EXHAUSTED with RetryInfo if too many
  // wait already.
  boost::asio::awaitable<absl::Status> AwaitTurn();
  // Moves the marks to the present, so that a long read does not miss chunks that are sealed and dropped meanwhile.
  // Returns false if it has.
  bool KeepUp(const Site& site, RankedWindow::Rankings& rankings) const;
  // Reads the rankings, and names the articles whose counts they lack.
  boost::asio::awaitable<absl::Status> ReadRankings(const Site& site, const Question& question, Reading& reading);
  // Reads the rankings of every window in every shard, each up to its `articles_max`th article.
  boost::asio::awaitable<absl::Status> ReadShards(const Site& site, const WeightedWindows& windows, size_t articles_max,
                                                  Reading& reading);
  boost::asio::awaitable<void> ReadShard(const Site& site, const WeightedWindows& windows, size_t articles_max,
                                         Shard shard, Reading& reading, absl::Status& error);
  // Returns the articles that were read in addition to the earlier rankings; empty if there are no earlier rankings.
  std::vector<RankedWindow::Candidate> TrackedCandidates(const Key& key);
  // Reads counts that later requests would have to wait for, those of `candidates` first.
  boost::asio::awaitable<void> ReadAhead(Entry& entry, std::vector<RankedWindow::Candidate> candidates);
  void Keep(const std::shared_ptr<Entry>& entry);
  // Keeps the current list of an entry, for use after the entry was dropped.
  void Remember(Entry& entry);
  // Returns the best list that is known without the store.
  std::optional<PopularList> Recall(const Site& site, const Question& question);
  std::optional<PopularList> RecallLast(const Site& site, const Question& question);
  // Returns nothing if the entry's rankings must be read again.
  boost::asio::awaitable<absl::StatusOr<std::optional<PopularList>>> AnswerFrom(std::shared_ptr<Entry> entry);
  boost::asio::awaitable<absl::Status> ReadCandidates(Entry& entry, const std::vector<RankedWindow::Candidate>& asked);
  // Reads the sums of some candidates of a shard.
  boost::asio::awaitable<absl::Status> ReadSums(Entry& entry, Shard shard,
                                                std::span<const RankedWindow::Candidate> asked);
  boost::asio::awaitable<void> ReadCandidatesOf(Entry& entry, Shard shard, std::vector<RankedWindow::Candidate> asked,
                                                absl::Status& error);

  CountStore& store_;
  CountCache& cache_;
  const std::vector<Ledger*> ledgers_;
  const Clock& clock_;
  // Used on the store's executor only.
  std::map<Key, std::shared_ptr<Flight>> flights_;
  // The number of lists of several windows that are being read, and an event for the end of each.
  size_t summing_ = 0;
  size_t waiting_ = 0;
  std::unique_ptr<AsyncEvent> summed_;
  WindowMemory memory_{kRememberedEntriesMax};
  Mutex mutex_;
  std::map<Key, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, Last> last_ ABSL_GUARDED_BY(mutex_);
  // True if the last read could not reach the store.
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace viewcount
