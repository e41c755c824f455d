// A site's views in all and over its own calendar, what is pending included.
//
// The total is what every page's odometer asks for. What it was at the last read of the store and what was folded since
// make the total of now, so that for a second no more is read: an answer costs a look at each lane. Statistics are read
// from the store at each question; those that come while a read is under way share it, since what is pending is added
// at its end.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/query/pending_since.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// Of all time.
struct SiteTotal {
  uint64_t views = 0;
  // As the store had them when it was read, with what was pending then: a second old at most while it is there.
  uint64_t visits = 0;
  bool exact = true;
  // When the store was read, Unix milliseconds.
  int64_t as_of_unix_ms = 0;
};

// What is known of a site over its own days.
struct SiteStats {
  struct Totals {
    uint64_t total = 0;
    uint64_t today = 0;
    uint64_t yesterday = 0;
    // Since Monday.
    uint64_t this_week = 0;
    // Since the first of the month.
    uint64_t this_month = 0;
  };
  // By people.
  Totals views;
  // As the lanes told them apart; what they counted is here exactly.
  Totals visits;
  // Estimated, with kViewersStandardError, as the store had it. A viewer of several days counts on each of them, since
  // nobody can tell that it is the same.
  Totals viewers;
  // Viewers seen within limits::kOnlineSpan; estimated likewise.
  uint64_t online_now = 0;
  // Of views and visits.
  bool exact = true;
  int64_t as_of_unix_ms = 0;
};

// What it refers to must outlive it.
class SiteStatsReader {
 public:
  SiteStatsReader(CountStore& store, SiteTotalReader& totals, const Clock& clock)
      : store_(store), totals_(totals), clock_(clock) {}

  // Thread safe. The total if the store was read within limits::kCountCacheAge.
  std::optional<SiteTotal> ReadTotalCached(const Site& site);
  // On the store's executor. While the store is away: the last known total with what was counted here since, and
  // `exact` false; UNAVAILABLE with RetryInfo if it was never read.
  boost::asio::awaitable<absl::StatusOr<SiteTotal>> ReadTotal(std::shared_ptr<const Site> site);

  // On the store's executor. While the store is away: what was read last, with what was counted here since, `exact`
  // false; UNAVAILABLE with RetryInfo if it was never read.
  boost::asio::awaitable<absl::StatusOr<SiteStats>> Read(std::shared_ptr<const Site> site);

 private:
  // One read, for all who ask meanwhile. By site and its day; of the total alone it is day 0.
  struct Flight;
  using FlightKey = std::pair<SiteIndex, uint32_t>;
  // A total as it was when the store was read.
  struct Known {
    int64_t views = 0;
    int64_t visits = 0;
    // See WindowTotals.
    std::vector<int64_t> folded;
    SteadyTime read_at;
    int64_t as_of_unix_ms = 0;
    // Of the store: it may have gone back in time since.
    uint64_t generation = 0;
  };

  // Statistics as they were when the store was read.
  struct KnownStats {
    // Of views and visits.
    std::map<Window, int64_t> counts;
    std::vector<uint64_t> viewers;
    LedgerMoment moment;
    int64_t as_of_unix_ms = 0;
  };

  // What a read is to find.
  struct Question {
    // 0: of the total alone.
    uint32_t day = 0;
    // One of them is for all time's views, and one for its visits.
    std::vector<Window> windows;
    // See CountStore::EstimateViewers.
    std::vector<std::vector<ViewerSetName>> viewers = {};
  };
  boost::asio::awaitable<std::shared_ptr<const Flight>> Join(std::shared_ptr<const Site> site, Question question);
  void Remember(const Site& site, const Flight& flight);
  // Nothing if they were never read. `windows`: those whose counts are wanted.
  std::optional<KnownStats> RecallStats(const Site& site, const std::vector<Window>& windows);
  // The total as it was at the last read that `usable` takes, with what was folded since.
  template <typename Usable>
  std::optional<SiteTotal> FindKnown(const Site& site, Usable usable);

  CountStore& store_;
  SiteTotalReader& totals_;
  const Clock& clock_;
  // On the store's executor only.
  std::map<FlightKey, std::shared_ptr<Flight>> flights_;

  std::mutex mutex_;
  // At most one for each site.
  std::map<SiteIndex, Known> known_;
  std::map<SiteIndex, KnownStats> known_stats_;
};

}  // namespace viewcount
