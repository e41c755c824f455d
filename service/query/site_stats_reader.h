// A site's views, in all and over its own calendar, pending views included.
//
// The total is shown by the odometer of every page. It is the total at the last read of the store plus the views folded
// since. So the store is read at most once a second, and an answer costs one access to each lane. Statistics are read
// from the store for each request. Requests that arrive during a read share its result, because pending views are added
// at its end.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/query/pending_since.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// A site's totals of all time.
struct SiteTotal {
  uint64_t views = 0;
  // Visits at the last read of the store, those pending then included. At most a second old while the store is
  // reachable.
  uint64_t visits = 0;
  bool exact = true;
  // When the store was read, Unix milliseconds.
  int64_t as_of_unix_ms = 0;
};

// The statistics of a site over the days of its own time zone.
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
  // Views by people.
  Totals views;
  // Visits as the lanes distinguished them. Every visit that they counted is included exactly.
  Totals visits;
  // Estimated, with kViewersStandardError, at the last read of the store. A viewer of several days counts on each of
  // them, since viewers of different days cannot be linked.
  Totals viewers;
  // Viewers seen within limits::kOnlineSpan; also estimated.
  uint64_t online_now = 0;
  // Concerns views and visits. Viewers are always estimates.
  bool exact = true;
  int64_t as_of_unix_ms = 0;
};

// Reads totals and statistics. Each function states the thread that may call it. Everything that it refers to must
// outlive it.
class SiteStatsReader {
 public:
  SiteStatsReader(CountStore& store, SiteTotalReader& totals, const Clock& clock)
      : store_(store), totals_(totals), clock_(clock) {}

  // Thread-safe. Returns the total if the store was read within limits::kCountCacheAge.
  std::optional<SiteTotal> ReadTotalCached(const Site& site);
  // Used on the store's executor. If the store is unreachable, returns the last known total plus the views counted here
  // since, with `exact` false. UNAVAILABLE with RetryInfo if the total was never read.
  boost::asio::awaitable<absl::StatusOr<SiteTotal>> ReadTotal(std::shared_ptr<const Site> site);

  // Used on the store's executor. If the store is unreachable, returns the last known statistics plus the views counted
  // here since, with `exact` false. UNAVAILABLE with RetryInfo if they were never read.
  boost::asio::awaitable<absl::StatusOr<SiteStats>> Read(std::shared_ptr<const Site> site);

 private:
  // One read that serves all requests made meanwhile. Its key is the site and the site's day; day 0 is the total alone.
  struct Flight;
  using FlightKey = std::pair<SiteIndex, uint32_t>;
  // A site's totals at the moment when the store was read.
  struct Known {
    int64_t views = 0;
    int64_t visits = 0;
    // See WindowTotals.
    std::vector<int64_t> folded;
    SteadyTime read_at;
    int64_t as_of_unix_ms = 0;
    // The store's generation at the read. In a later generation the store may have gone back in time.
    uint64_t generation = 0;
  };

  // Statistics at the moment when the store was read.
  struct KnownStats {
    // The counts of views and visits.
    std::map<Window, int64_t> counts;
    std::vector<uint64_t> viewers;
    LedgerMoment moment;
    int64_t as_of_unix_ms = 0;
  };

  // The request of a read.
  struct Question {
    // 0 for the total alone.
    uint32_t day = 0;
    // One of the windows must be the views of all time, and one the visits of all time.
    std::vector<Window> windows;
    // See CountStore::EstimateViewers.
    std::vector<std::vector<ViewerSetName>> viewers = {};
  };
  boost::asio::awaitable<std::shared_ptr<const Flight>> Join(std::shared_ptr<const Site> site, Question question);
  void Remember(const Site& site, const Flight& flight);
  // Returns nothing if the statistics were never read. `windows` are the windows whose counts are needed.
  std::optional<KnownStats> RecallStats(const Site& site, const std::vector<Window>& windows);
  // Returns the total at the last read, if `usable` accepts that read, plus the views folded since.
  template <typename Usable>
  std::optional<SiteTotal> FindKnown(const Site& site, Usable usable);

  CountStore& store_;
  SiteTotalReader& totals_;
  const Clock& clock_;
  // Used on the store's executor only.
  std::map<FlightKey, std::shared_ptr<Flight>> flights_;

  Mutex mutex_;
  // At most one entry for each site.
  std::map<SiteIndex, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::map<SiteIndex, KnownStats> known_stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
