#include "service/query/site_stats_reader.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/base/limits.h"
#include "service/query/count_cache.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr Window kAllTime{Window::Kind::kAllTime, 0};
constexpr uint32_t kTotalAlone = 0;

// The days that statistics speak of.
struct Calendar {
  explicit Calendar(absl::CivilDay day)
      : today(day),
        yesterday(day - 1),
        week(absl::PrevWeekday(day + 1, absl::Weekday::monday)),
        month(day.year(), day.month()) {}

  absl::CivilDay today;
  absl::CivilDay yesterday;
  absl::CivilDay week;
  absl::CivilMonth month;

  absl::CivilDay first() const { return std::min({yesterday, week, absl::CivilDay(month)}); }
  // That of all time, then every day from the first one to today.
  std::vector<Window> windows() const {
    std::vector<Window> windows = {kAllTime};
    for (absl::CivilDay day = first(); day <= today; ++day) windows.push_back({Window::Kind::kDay, DayNumber(day)});
    return windows;
  }
};

SiteStats StatsOf(const Calendar& calendar, const std::vector<int64_t>& views) {
  const auto since = [&](absl::CivilDay day) {
    int64_t sum = 0;
    for (absl::civil_diff_t i = day - calendar.first(); i <= calendar.today - calendar.first(); ++i)
      sum += views[1 + i];
    return sum;
  };
  const int64_t today = since(calendar.today);
  return {.total = ShownCount(views.front()),
          .today = ShownCount(today),
          .yesterday = ShownCount(since(calendar.yesterday) - today),
          .this_week = ShownCount(since(calendar.week)),
          .this_month = ShownCount(since(absl::CivilDay(calendar.month)))};
}

}  // namespace

struct SiteStatsReader::Flight {
  explicit Flight(const asio::any_io_executor& executor) : landed(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer landed;
  SteadyTime read_at;
  int64_t as_of_unix_ms = 0;
  uint64_t generation = 0;
  std::optional<absl::StatusOr<WindowTotals>> totals;
};

std::optional<SiteTotal> SiteStatsReader::ReadTotalCached(const Site& site) {
  const SteadyTime not_before = clock_.Now() - limits::kCountCacheAge;
  const uint64_t generation = store_.generation();
  return FindKnown(site,
                   [&](const Known& known) { return known.read_at >= not_before && known.generation == generation; });
}

asio::awaitable<absl::StatusOr<SiteTotal>> SiteStatsReader::ReadTotal(std::shared_ptr<const Site> site) {
  if (const auto cached = ReadTotalCached(*site)) co_return *cached;
  std::vector<Window> windows(1, kAllTime);
  const auto flight = co_await Join(site, kTotalAlone, std::move(windows));
  const absl::StatusOr<WindowTotals>& totals = *flight->totals;
  if (totals.ok()) {
    co_return SiteTotal{.views = ShownCount(totals->views.front()), .as_of_unix_ms = flight->as_of_unix_ms};
  }
  auto last = FindKnown(*site, [](const Known&) { return true; });
  if (!last) co_return totals.status();
  last->exact = false;
  co_return *last;
}

asio::awaitable<absl::StatusOr<SiteStats>> SiteStatsReader::Read(std::shared_ptr<const Site> site) {
  const Calendar calendar(absl::ToCivilDay(absl::FromUnixMillis(clock_.UnixMillis()), site->zone));
  const auto flight = co_await Join(site, DayNumber(calendar.today), calendar.windows());
  const absl::StatusOr<WindowTotals>& totals = *flight->totals;
  if (!totals.ok()) co_return totals.status();
  SiteStats stats = StatsOf(calendar, totals->views);
  stats.as_of_unix_ms = flight->as_of_unix_ms;
  co_return stats;
}

asio::awaitable<std::shared_ptr<const SiteStatsReader::Flight>> SiteStatsReader::Join(std::shared_ptr<const Site> site,
                                                                                      uint32_t day,
                                                                                      std::vector<Window> windows) {
  const FlightKey key = {site->index, day};
  if (const auto found = flights_.find(key); found != flights_.end()) {
    const std::shared_ptr<Flight> flight = found->second;
    while (!flight->totals) {
      boost::system::error_code ignored;
      co_await flight->landed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return flight;
  }
  const auto flight = std::make_shared<Flight>(co_await asio::this_coro::executor);
  flights_.emplace(key, flight);
  flight->read_at = clock_.Now();
  flight->as_of_unix_ms = clock_.UnixMillis();
  flight->generation = store_.generation();
  flight->totals = co_await totals_.Read(site, std::move(windows));
  // Nothing else ran since what is pending was added: whoever joined, did so before.
  flights_.erase(key);
  flight->landed.cancel();
  if (flight->totals->ok()) Remember(*site, *flight);
  co_return flight;
}

void SiteStatsReader::Remember(const Site& site, const Flight& flight) {
  const WindowTotals& totals = **flight.totals;
  std::lock_guard lock(mutex_);
  known_.insert_or_assign(site.index, Known{.views = totals.views.front(),
                                            .folded = totals.folded,
                                            .read_at = flight.read_at,
                                            .as_of_unix_ms = flight.as_of_unix_ms,
                                            .generation = flight.generation});
}

template <typename Usable>
std::optional<SiteTotal> SiteStatsReader::FindKnown(const Site& site, Usable usable) {
  std::lock_guard lock(mutex_);
  const auto found = known_.find(site.index);
  if (found == known_.end() || !usable(found->second)) return std::nullopt;
  int64_t views = found->second.views;
  for (size_t lane = 0; lane < totals_.ledgers().size(); ++lane) {
    views += totals_.ledgers()[lane]->HoldStill().Folded(site.index) - found->second.folded[lane];
  }
  return SiteTotal{.views = ShownCount(views), .as_of_unix_ms = found->second.as_of_unix_ms};
}

}  // namespace viewcount
