#include "service/instance/day_remover.h"

#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "service/base/status.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;

SiteDays DayRemover::FirstDays() {
  SiteDays first_days;
  const int64_t now = parts_.clock.UnixMillis();
  const SteadyTime steady_now = parts_.clock.Now();
  for (const auto& site : parts_.sites.All()) {
    const auto [at, is_new] = settings_.try_emplace(site->name);
    Setting& setting = at->second;
    const uint32_t days = site->settings.days_kept_days;
    if (is_new || setting.days_kept_days != days || setting.time_zone != site->settings.time_zone) {
      setting = {.days_kept_days = days, .time_zone = site->settings.time_zone, .since = steady_now};
    }
    if (days == 0 || steady_now - setting.since <= kSettingsKnownAfter) continue;
    first_days.emplace(site->name, FirstLeftDay(*site, now));
  }
  return first_days;
}

asio::awaitable<absl::Status> DayRemover::Remove(std::set<StoredDay> days) {
  absl::Status first_error;
  size_t removed_days = 0;
  for (const StoredDay& day : days) {
    if (stopped_) co_return absl::CancelledError("the service is stopping");
    // Another instance may have changed the setting since.
    if (auto status = co_await parts_.keeper.Refresh(); !status.ok()) co_return status;
    const SiteDays first_days = FirstDays();
    const auto first = first_days.find(day.site);
    if (first == first_days.end() || day.day >= first->second) continue;
    const absl::Status removed = co_await parts_.store.RemoveDay(day.site, day.day);
    if (!removed.ok() && IsTransient(removed)) co_return removed;
    first_error.Update(removed);
    if (removed.ok()) ++removed_days;
  }
  if (removed_days > 0) spdlog::info("removed the counts of {} days that are not kept any more", removed_days);
  co_return first_error;
}

asio::awaitable<absl::Status> DayRemover::Refresh() {
  const uint64_t generation = parts_.store.generation();
  SiteDays first_days = FirstDays();
  const bool again = again_at_ && parts_.clock.Now() >= *again_at_;
  if (first_days.empty() || (first_days == removed_ && generation == generation_ && !again)) co_return absl::OkStatus();
  // Another instance may have changed a setting a moment ago.
  if (auto status = co_await parts_.keeper.Refresh(); !status.ok()) co_return status;
  first_days = FirstDays();
  auto days = co_await parts_.store.ListDaysBefore(first_days);
  absl::Status status = days.status();
  if (days.ok()) status = co_await Remove(*std::move(days));
  if (stopped_ || (!status.ok() && IsTransient(status))) co_return status;
  again_at_.reset();
  if (!status.ok()) again_at_ = parts_.clock.Now() + kErrorWait;
  removed_ = std::move(first_days);
  generation_ = generation;
  co_return status;
}

asio::awaitable<void> DayRemover::Run() {
  while (!stopped_) {
    timer_.expires_after(kEvery);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped_) break;
    const absl::Status status = co_await Refresh();
    if (!status.ok() && !stopped_ && !IsTransient(status) && error_lines_.Take(parts_.clock.Now())) {
      spdlog::error("old days cannot be removed: {}", ToStd(status.message()));
    }
  }
}

void DayRemover::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace viewcount
