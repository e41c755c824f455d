#include "service/instance/day_remover.h"

#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/base/status.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;

SiteDays DayRemover::FirstDays() const {
  SiteDays first_days;
  const int64_t now = parts_.clock.UnixMillis();
  for (const auto& site : parts_.sites.All()) {
    if (site->settings.days_kept_days == 0) continue;
    first_days.emplace(site->name, FirstWrittenDay(*site, now));
  }
  return first_days;
}

asio::awaitable<absl::Status> DayRemover::Refresh() {
  const uint64_t generation = parts_.store.generation();
  SiteDays first_days = FirstDays();
  if (first_days.empty() || (first_days == removed_ && generation == generation_)) co_return absl::OkStatus();
  // Another instance may have changed a setting a moment ago.
  if (auto status = co_await parts_.keeper.Refresh(); !status.ok()) co_return status;
  first_days = FirstDays();
  const auto days = co_await parts_.store.ListDaysBefore(first_days);
  if (!days.ok()) co_return days.status();
  for (const StoredDay& day : *days) {
    if (stopped_) co_return absl::CancelledError("the service is stopping");
    const absl::Status removed = co_await parts_.store.RemoveDay(day.site, day.day);
    if (!removed.ok()) co_return removed;
  }
  if (!days->empty()) spdlog::info("removed the counts of {} days that are not kept any more", days->size());
  removed_ = std::move(first_days);
  generation_ = generation;
  co_return absl::OkStatus();
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
