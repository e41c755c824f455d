// Tells many watchers of counts as they change, for streams of gRPC and of Server-Sent Events alike.
//
// Articles that several watch are read once a tick. A watcher is told at most once a second, and then of everything
// that changed since it was last told: one that takes its time misses states between, never the last one.
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
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/metrics/metrics.h"
#include "service/query/count_reader.h"
#include "service/query/site_stats_reader.h"
#include "service/query/watched_site.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// What it refers to must outlive it, and it must outlive its subscriptions.
class CountWatcher {
 public:
  struct Parts {
    const SiteDirectory& sites;
    CountReader& counts;
    SiteStatsReader& stats;
    const Clock& clock;
    Metrics& metrics;
  };
  // `executor` is the store's.
  CountWatcher(boost::asio::any_io_executor executor, Parts parts);

  class Subscription;
  class Caller;
  // On the store's executor. Watches `ids` (one that is named twice is watched once; none: the site's total alone).
  // What it returns has the first message ready to be taken, and `notify` is not called for that one.
  //
  // `notify` is called whenever there is something to take, at most once until it is taken, and when the subscription
  // has ended. It is called on the store's thread, so it must not block; it may take, and it may destroy the
  // subscription. What it is called for may have been taken meanwhile. It is not called before this function has
  // returned, nor after the subscription is gone.
  //
  // `resume_after` (must live until this returns) is the event ID of the last message that this watcher has: the first
  // message has what changed since, and comes only when something did. Everything if it is empty, of another process,
  // of other articles, or no event ID at all.
  //
  // `caller` (null: it stays) ends the wait for the first message with CANCELLED when the caller goes away.
  //
  // INVALID_ARGUMENT naming `article_ids`, of which there may be limits::kWatchArticlesMax; RESOURCE_EXHAUSTED with
  // RetryInfo at limits::kWatchersMax, kWatchedArticlesMax or kWatchesMax; UNAVAILABLE with RetryInfo if the store is
  // away and something was never read, or when the service stops.
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<Subscription>>> Subscribe(
      std::shared_ptr<const Site> site, std::vector<std::string> ids, std::string_view resume_after,
      std::function<void()> notify, std::shared_ptr<Caller> caller = nullptr);

  // On the store's executor. Ticks every limits::kWatchInterval until Stop.
  boost::asio::awaitable<void> Run();
  // One tick: reads what is watched and notifies. While the store is away it goes on with what is known.
  boost::asio::awaitable<void> Tick();
  // On the store's executor. Ends Run and every subscription.
  void Stop();

  // Thread safe.
  size_t subscriptions() const;
  size_t watched_articles() const;

 private:
  struct Watch;
  // All that is watched of a site, and by whom.
  struct Group {
    WatchedSite site;
    boost::unordered_flat_map<const Watch*, std::shared_ptr<Watch>> watches;
  };

  absl::StatusOr<std::shared_ptr<Watch>> Add(const Site& site, const std::vector<std::string>& ids,
                                             std::function<void()> notify);
  void Remove(Watch& watch);
  // What the watcher that sent `event_id` has seen; 0 where that is not known.
  uint64_t SeenVersion(std::string_view event_id, uint64_t list_id) const;
  bool Take(Watch& watch, v1::WatchCountsResponse& response, std::string& event_id);
  // Reads what a new subscription watches, so that its first message is of now.
  boost::asio::awaitable<absl::Status> ReadFirst(std::shared_ptr<const Site> site, const WatchedSite::Piece& piece);
  // The same when it is its turn: there are at most limits::kWatchFirstReadsMax at once.
  boost::asio::awaitable<absl::Status> ReadFirstInTurn(std::shared_ptr<const Site> site,
                                                       const WatchedSite::Piece& piece, std::shared_ptr<Caller> caller);
  boost::asio::awaitable<void> ReadSite(std::shared_ptr<const Site> site);
  void Update(SiteIndex site, const WatchedSite::Piece& piece, const Counts& counts, uint64_t read_number);
  void UpdateTotal(SiteIndex site, const SiteTotal& total, uint64_t read_number);
  void Notify(SiteIndex site);
  static void Call(const std::vector<std::shared_ptr<Watch>>& watches);
  static bool HasNews(const Watch& watch);

  const Parts parts_;
  // Seeds the IDs of events, so that those of another process are told apart.
  const uint64_t seed_;
  // On the store's executor only.
  boost::asio::steady_timer timer_;
  // Never expires: whoever waits for a turn is woken by the one who had it.
  boost::asio::steady_timer turn_;
  size_t first_reads_ = 0;
  bool stopped_ = false;
  uint64_t reads_ = 0;

  // Guards everything below, with all that the watches and groups hold.
  mutable std::mutex mutex_;
  std::map<SiteIndex, Group> groups_;
  size_t subscriptions_ = 0;
  size_t watches_ = 0;
  size_t articles_ = 0;
  // Of the last change.
  uint64_t version_ = 0;
};

// Tells a subscription that waits for its first message that nobody waits for it any more. All functions on the store's
// executor.
class CountWatcher::Caller {
 public:
  void Leave() {
    gone_ = true;
    gone_signal_.emit(boost::asio::cancellation_type::terminal);
  }
  bool gone() const { return gone_; }
  // Ends an operation when the caller leaves. There may be one at a time.
  boost::asio::cancellation_slot slot() { return gone_signal_.slot(); }

 private:
  bool gone_ = false;
  boost::asio::cancellation_signal gone_signal_;
};

// One watcher. Destroying it frees what it watches; `notify` is not running then and is never called again, unless it
// is `notify` itself that destroys it.
class CountWatcher::Subscription {
 public:
  explicit Subscription(CountWatcher& watcher, std::shared_ptr<Watch> watch)
      : watcher_(watcher), watch_(std::move(watch)) {}
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Thread safe. Puts the next message into `response`, and the ID to resume after it into `event_id`. False if there
  // is none: then both stay as they are.
  bool Take(v1::WatchCountsResponse& response, std::string& event_id);
  // Thread safe. True when nothing comes any more, because the service stops.
  bool ended() const;

 private:
  CountWatcher& watcher_;
  const std::shared_ptr<Watch> watch_;
};

}  // namespace viewcount
