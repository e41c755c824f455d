// Notifies many watchers when counts change. Serves gRPC streams and Server-Sent Events.
//
// An article with several watchers is read once per tick. A watcher gets at most one message per tick (1 s). The
// message holds everything that changed since its last message. A slow watcher misses intermediate states, but never
// the last one.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/async_event.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/metrics/metrics.h"
#include "service/query/count_reader.h"
#include "service/query/site_stats_reader.h"
#include "service/query/watched_site.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Used on the store's executor, except for functions marked as thread-safe. Everything that it refers to must outlive
// it. It must outlive its subscriptions.
class CountWatcher {
 public:
  struct Dependencies {
    const SiteDirectory& sites;
    CountReader& counts;
    SiteStatsReader& stats;
    const Clock& clock;
    Metrics& metrics;
  };
  // `executor` is the store's executor.
  CountWatcher(boost::asio::any_io_executor executor, Dependencies parts);

  class Subscription;
  class Caller;
  // Subscribes to the counts of `ids` and to the site's total. An ID that is named twice is watched once. Without IDs,
  // only the total is watched. When the function returns, the first message can be taken; `notify` is not called for
  // it.
  //
  // `notify` is called when there is a message to take, at most once until it is taken. It is also called when the
  // subscription has ended. It runs on the store's thread, so it must not block. It may call Take, and it may destroy
  // the subscription. The message may have been taken before `notify` runs. `notify` is called neither before this
  // function returns nor after the subscription is destroyed.
  //
  // `resume_after` is the event ID of the last message that this watcher received. It must stay valid until this
  // function returns. The first message then holds only changes since that message, and comes only if there are any. It
  // holds everything if the ID is empty or invalid, or belongs to another process or to other articles.
  //
  // INVALID_ARGUMENT naming `article_ids`, for an invalid ID or more than limits::kWatchArticlesMax of them.
  // RESOURCE_EXHAUSTED with RetryInfo at limits::kWatchersMax, kWatchedArticlesMax or kWatchesMax. UNAVAILABLE with
  // RetryInfo if the store is unreachable and something was never read, or when the service stops.
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<Subscription>>> Subscribe(
      std::shared_ptr<const Site> site, std::vector<std::string> ids, std::string_view resume_after,
      std::function<void()> notify, std::shared_ptr<Caller> caller = nullptr);

  // Ticks every limits::kWatchInterval until Stop.
  boost::asio::awaitable<void> Run();
  // Performs one tick: reads everything that is watched, and notifies. Uses the known counts while the store is
  // unreachable.
  boost::asio::awaitable<void> Tick();
  // Ends Run and every subscription.
  void Stop();

  // Thread-safe. The numbers of subscriptions, and of different articles that are watched.
  size_t subscriptions() const;
  size_t watched_articles() const;

 private:
  struct Watch;
  // The watched articles of one site, and their watchers.
  struct Group {
    WatchedSite site;
    boost::unordered_flat_map<const Watch*, std::shared_ptr<Watch>> watches;
  };

  absl::StatusOr<std::shared_ptr<Watch>> Add(const Site& site, const std::vector<std::string>& ids,
                                             std::function<void()> notify);
  void Remove(Watch& watch);
  // Returns the version up to which the watcher that sent `event_id` has seen all changes; 0 if that is not known.
  uint64_t SeenVersion(std::string_view event_id, uint64_t list_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Take(Watch& watch, v1::WatchCountsResponse& response, std::string& event_id);
  // Reads everything that a new subscription watches, so that its first message is up to date.
  boost::asio::awaitable<absl::Status> ReadFirst(std::shared_ptr<const Site> site, const WatchedSite::Piece& piece);
  // Waits for a turn, then calls ReadFirst. At most limits::kWatchFirstReadsMax of these reads run at the same time.
  boost::asio::awaitable<absl::Status> ReadFirstInTurn(std::shared_ptr<const Site> site,
                                                       const WatchedSite::Piece& piece, std::shared_ptr<Caller> caller);
  boost::asio::awaitable<void> ReadSite(std::shared_ptr<const Site> site);
  void Update(SiteIndex site, const WatchedSite::Piece& piece, const Counts& counts, uint64_t read_number);
  void UpdateTotal(SiteIndex site, const SiteTotal& total, uint64_t read_number);
  void Notify(SiteIndex site);
  static void Call(const std::vector<std::shared_ptr<Watch>>& watches);
  static bool HasNews(const Watch& watch);

  const Dependencies parts_;
  // Seeds the IDs of events, so that IDs of other processes are recognised.
  const uint64_t seed_;
  // Used on the store's executor only, like the members up to `mutex_`.
  boost::asio::steady_timer timer_;
  // A subscription that waits for a turn is woken when another one's first read ends.
  AsyncEvent turn_;
  size_t first_reads_ = 0;
  bool stopped_ = false;
  uint64_t reads_ = 0;

  // Also guards the contents of the watches and groups.
  mutable Mutex mutex_;
  std::map<SiteIndex, Group> groups_ ABSL_GUARDED_BY(mutex_);
  size_t subscriptions_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t watches_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t articles_ ABSL_GUARDED_BY(mutex_) = 0;
  // The version of the last change.
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Tells a subscription that waits for its first message that its caller has gone. Used on the store's executor only.
class CountWatcher::Caller {
 public:
  void Leave() {
    gone_ = true;
    gone_signal_.emit(boost::asio::cancellation_type::terminal);
  }
  bool gone() const { return gone_; }
  // Ends one asynchronous operation when the caller leaves. Only one operation may use it at a time.
  boost::asio::cancellation_slot slot() { return gone_signal_.slot(); }

 private:
  bool gone_ = false;
  boost::asio::cancellation_signal gone_signal_;
};

// The subscription of one watcher. Its destructor frees what it watches. Afterwards `notify` is not running and is
// never called again. The exception is a destruction by `notify` itself, which is then still running.
class CountWatcher::Subscription {
 public:
  explicit Subscription(CountWatcher& watcher, std::shared_ptr<Watch> watch)
      : watcher_(watcher), watch_(std::move(watch)) {}
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Thread-safe. Puts the next message into `response`, and the ID from which to resume into `event_id`. Returns false
  // if there is no message; both then stay unchanged.
  bool Take(v1::WatchCountsResponse& response, std::string& event_id);
  // Thread-safe. Returns true if no message will come any more, because the service stops.
  bool ended() const;

 private:
  CountWatcher& watcher_;
  const std::shared_ptr<Watch> watch_;
};

}  // namespace viewcount
