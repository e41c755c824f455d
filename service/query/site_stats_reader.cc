#include "service/query/site_stats_reader.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>
#include <utility>

#include "service/base/async_event.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/count_cache.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr Window kAllTime{Window::Kind::kAllTime, 0};
constexpr Window kVisits{Window::Kind::kVisits, 0};

// The days that statistics cover.
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
  // Returns the number of days from the first one to today, both included.
  size_t days() const { return static_cast<size_t>(today - first()) + 1; }
  // Returns the windows for views, then those for visits. Each group begins with all time, followed by every day from
  // the first one to today.
  std::vector<Window> windows() const {
    std::vector<Window> windows;
    for (const auto& [all_time, of_day] : {std::pair(Window::Kind::kAllTime, Window::Kind::kDay),
                                           std::pair(Window::Kind::kVisits, Window::Kind::kVisitDay)}) {
      windows.push_back({all_time, 0});
      for (absl::CivilDay day = first(); day <= today; ++day) windows.push_back({of_day, DayNumber(day)});
    }
    return windows;
  }
  // Returns the sets of all time, today, yesterday, this week, this month, and online at `unix_ms`, in this order.
  std::vector<std::vector<ViewerSetName>> viewer_sets(int64_t unix_ms) const {
    const auto days = [](absl::CivilDay from, absl::CivilDay to) {
      std::vector<ViewerSetName> sets;
      for (; from <= to; ++from) sets.push_back({.kind = ViewerSetName::Kind::kDay, .number = DayNumber(from)});
      return sets;
    };
    std::vector<ViewerSetName> online;
    const uint32_t newest = OnlineSlotOf(unix_ms);
    for (uint32_t back = 0; back < limits::kOnlineSpan / limits::kOnlineSlot && back <= newest; ++back)
      online.push_back({.kind = ViewerSetName::Kind::kOnline, .number = newest - back});
    std::vector<std::vector<ViewerSetName>> sets(1, {{.kind = ViewerSetName::Kind::kAllTime}});
    sets.push_back(days(today, today));
    sets.push_back(days(yesterday, yesterday));
    sets.push_back(days(week, today));
    sets.push_back(days(absl::CivilDay(month), today));
    sets.push_back(std::move(online));
    return sets;
  }
};

// `counts` holds the count of all time, then the count of each day of the calendar.
SiteStats::Totals TotalsOf(const Calendar& calendar, std::span<const int64_t> counts) {
  const auto since = [&](absl::CivilDay day) {
    int64_t sum = 0;
    for (absl::civil_diff_t i = day - calendar.first(); i <= calendar.today - calendar.first(); ++i)
      sum += counts[1 + i];
    return sum;
  };
  const int64_t today = since(calendar.today);
  return {.total = ShownCount(counts.front()),
          .today = ShownCount(today),
          .yesterday = ShownCount(since(calendar.yesterday) - today),
          .this_week = ShownCount(since(calendar.week)),
          .this_month = ShownCount(since(absl::CivilDay(calendar.month)))};
}

// `counts` belong to the calendar's windows, `viewers` to its sets.
SiteStats StatsOf(const Calendar& calendar, std::span<const int64_t> counts, const std::vector<uint64_t>& viewers,
                  int64_t as_of_unix_ms) {
  return {.views = TotalsOf(calendar, counts.first(1 + calendar.days())),
          .visits = TotalsOf(calendar, counts.subspan(1 + calendar.days())),
          .viewers = {.total = viewers[0],
                      .today = viewers[1],
                      .yesterday = viewers[2],
                      .this_week = viewers[3],
                      .this_month = viewers[4]},
          .online_now = viewers[5],
          .as_of_unix_ms = as_of_unix_ms};
}

}  // namespace

struct SiteStatsReader::Flight {
  Flight(const asio::any_io_executor& executor, std::vector<Window> of) : windows(std::move(of)), landed(executor) {}

  // Returns the count of a window, which must be one of those requested.
  int64_t Of(Window window) const {
    const auto at = std::find(windows.begin(), windows.end(), window);
    return (*totals)->views[static_cast<size_t>(at - windows.begin())];
  }

  const std::vector<Window> windows;
  AsyncEvent landed;
  SteadyTime read_at;
  int64_t as_of_unix_ms = 0;
  uint64_t generation = 0;
  std::optional<absl::StatusOr<WindowTotals>> totals;
  absl::StatusOr<std::vector<uint64_t>> viewers;
};

std::optional<SiteTotal> SiteStatsReader::ReadTotalCached(const Site& site) {
  const SteadyTime not_before = clock_.Now() - limits::kCountCacheAge;
  const uint64_t generation = store_.generation();
  return FindKnown(site,
                   [&](const Known& known) { return known.read_at >= not_before && known.generation == generation; });
}

asio::awaitable<absl::StatusOr<SiteTotal>> SiteStatsReader::ReadTotal(std::shared_ptr<const Site> site) {
  if (const auto cached = ReadTotalCached(*site)) co_return *cached;
  Question question{.windows = {kAllTime, kVisits}};
  const auto flight = co_await Join(site, std::move(question));
  const absl::StatusOr<WindowTotals>& totals = *flight->totals;
  if (totals.ok()) {
    co_return SiteTotal{.views = ShownCount(flight->Of(kAllTime)),
                        .visits = ShownCount(flight->Of(kVisits)),
                        .as_of_unix_ms = flight->as_of_unix_ms};
  }
  auto last = FindKnown(*site, [](const Known&) { return true; });
  if (!last) co_return totals.status();
  last->exact = false;
  co_return *last;
}

asio::awaitable<absl::StatusOr<SiteStats>> SiteStatsReader::Read(std::shared_ptr<const Site> site) {
  const Calendar calendar(site->days.DayAt(clock_.UnixMillis()));
  Question question{.day = DayNumber(calendar.today),
                    .windows = calendar.windows(),
                    .viewers = calendar.viewer_sets(clock_.UnixMillis())};
  const auto flight = co_await Join(site, std::move(question));
  const absl::StatusOr<WindowTotals>& totals = *flight->totals;
  if (totals.ok() && flight->viewers.ok()) {
    co_return StatsOf(calendar, totals->views, *flight->viewers, flight->as_of_unix_ms);
  }
  const std::vector<Window> windows = calendar.windows();
  const auto known = RecallStats(*site, windows);
  if (!known) {
    const absl::Status& error = totals.ok() ? flight->viewers.status() : totals.status();
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
  }
  std::vector<int64_t> counts;
  for (const Window& window : windows) {
    const auto at = known->counts.find(window);
    // A missing window is a day that has begun since.
    counts.push_back(at == known->counts.end() ? 0 : at->second);
  }
  SiteStats stats = StatsOf(calendar, counts, known->viewers, known->as_of_unix_ms);
  stats.exact = false;
  co_return stats;
}

std::optional<SiteStatsReader::KnownStats> SiteStatsReader::RecallStats(const Site& site,
                                                                        const std::vector<Window>& windows) {
  KnownStats known;
  {
    const MutexLock lock(mutex_);
    const auto found = known_stats_.find(site.index);
    if (found == known_stats_.end()) return std::nullopt;
    known = found->second;
  }
  const auto& ledgers = totals_.ledgers();
  const int64_t total = known.counts[kAllTime] + known.moment.FoldedSince(ledgers, site.index);
  for (size_t lane = 0; lane < ledgers.size(); ++lane) {
    ChunksSince chunks;
    if (!FindSince(*ledgers[lane], known.moment.since[lane], chunks)) continue;
    const auto pending = ledgers[lane]->SumPending(chunks.mark, chunks.cursors, site, windows);
    for (size_t w = 0; pending && w < windows.size(); ++w) known.counts[windows[w]] += pending->views[w];
  }
  // The total of all time also includes views that were flushed since the read, because FoldedSince counts them.
  known.counts[kAllTime] = total;
  return known;
}

asio::awaitable<std::shared_ptr<const SiteStatsReader::Flight>> SiteStatsReader::Join(std::shared_ptr<const Site> site,
                                                                                      Question question) {
  const FlightKey key = {site->index, question.day};
  if (const auto found = flights_.find(key); found != flights_.end()) {
    const std::shared_ptr<Flight> flight = found->second;
    while (!flight->totals) co_await flight->landed.Wait();
    co_return flight;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto flight = std::make_shared<Flight>(executor, std::move(question.windows));
  flights_.emplace(key, flight);
  flight->read_at = clock_.Now();
  flight->as_of_unix_ms = clock_.UnixMillis();
  flight->generation = store_.generation();
  if (!question.viewers.empty()) {
    const Shard shard = ShardOf(ArticleHash(site->seed, ""));
    flight->viewers = co_await store_.EstimateViewers(shard, site->name, question.viewers);
  }
  auto totals = co_await totals_.Read(site, flight->windows);
  flight->totals = std::move(totals);
  // No other coroutine has run since the pending views were added. So all requests that joined did so before that.
  flights_.erase(key);
  flight->landed.NotifyAll();
  if (flight->totals->ok()) Remember(*site, *flight);
  co_return flight;
}

void SiteStatsReader::Remember(const Site& site, const Flight& flight) {
  const WindowTotals& totals = **flight.totals;
  const MutexLock lock(mutex_);
  known_.insert_or_assign(site.index, Known{.views = flight.Of(kAllTime),
                                            .visits = flight.Of(kVisits),
                                            .folded = totals.folded,
                                            .read_at = flight.read_at,
                                            .as_of_unix_ms = flight.as_of_unix_ms,
                                            .generation = flight.generation});
  if (!flight.viewers.ok() || flight.viewers->empty()) return;
  KnownStats stats{.counts = {},
                   .viewers = *flight.viewers,
                   .moment = {.since = SinceNow(totals_.ledgers(), site), .folded = totals.folded},
                   .as_of_unix_ms = flight.as_of_unix_ms};
  for (size_t w = 0; w < flight.windows.size(); ++w) stats.counts.emplace(flight.windows[w], totals.views[w]);
  known_stats_.insert_or_assign(site.index, std::move(stats));
}

template <typename Usable>
std::optional<SiteTotal> SiteStatsReader::FindKnown(const Site& site, Usable usable) {
  const MutexLock lock(mutex_);
  const auto found = known_.find(site.index);
  if (found == known_.end() || !usable(found->second)) return std::nullopt;
  int64_t views = found->second.views;
  for (size_t lane = 0; lane < totals_.ledgers().size(); ++lane) {
    views += totals_.ledgers()[lane]->Lock().Folded(site.index) - found->second.folded[lane];
  }
  return SiteTotal{.views = ShownCount(views),
                   .visits = ShownCount(found->second.visits),
                   .as_of_unix_ms = found->second.as_of_unix_ms};
}

}  // namespace viewcount
