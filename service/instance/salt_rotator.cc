#include "service/instance/salt_rotator.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

void SaltRotator::SiteChanged(std::shared_ptr<const Site> site) {
  const MutexLock lock(mutex_);
  const size_t index = site->index.value;
  if (index >= sites_.size()) sites_.resize(index + 1);
  sites_[index] = std::move(site);
  ++changes_;
}

SaltRotator::Sites SaltRotator::AllSites(uint64_t& changes) const {
  const MutexLock lock(mutex_);
  changes = changes_;
  Sites sites;
  sites.reserve(sites_.size());
  for (const auto& site : sites_) {
    if (site != nullptr) sites.push_back(site);
  }
  return sites;
}

asio::awaitable<absl::Status> SaltRotator::Refresh() {
  Done now{.generation = parts_.store.generation(), .begin_ms = parts_.clock.UnixMillis()};
  {
    const MutexLock lock(mutex_);
    now.changes = changes_;
  }
  if (done_.Covers(now)) co_return absl::OkStatus();
  const Sites sites = AllSites(now.changes);
  const int64_t now_ms = now.begin_ms;
  const bool again = done_.generation != now.generation;
  now.end_ms = std::numeric_limits<int64_t>::max();
  for (const auto& site : sites) {
    const SaltDays days = SaltDays::At(site->days, now_ms);
    now.end_ms = std::min(now.end_ms, days.end_ms);
    parts_.salts.RemoveBefore(*site, days.first());
  }
  unusable_ = false;
  absl::Status status = co_await Obtain(sites, now_ms, again);
  if (status.ok()) status = co_await Remove(sites, now_ms, again);
  if (!status.ok()) co_return status;
  if (unusable_) now.end_ms = std::min(now.end_ms, now_ms + limits::kSaltRetryInterval.count());
  done_ = now;
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> SaltRotator::Obtain(const Sites& sites, int64_t now_ms, bool again) {
  for (const auto& site : sites) {
    const SaltDays days = SaltDays::At(site->days, now_ms);
    // The salt of the present day comes first, because views wait for it.
    std::array<uint32_t, 3> wanted = {days.present, days.before, days.ahead};
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (std::find(wanted.begin(), wanted.begin() + i, wanted[i]) != wanted.begin() + i) continue;
      const absl::Status status = co_await ObtainOne(*site, wanted[i], again);
      if (ReportUnlessTransient(status)) co_return status;
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> SaltRotator::ObtainOne(const Site& site, uint32_t day, bool again) {
  const ViewerSalt known = parts_.salts.Of(site, day);
  if (!known.IsNone() && !again) co_return absl::OkStatus();
  const ViewerSalt fresh = known.IsNone() ? RandomId<ViewerSalt>() : known;
  const auto stored = co_await parts_.store.ObtainSalt(site.name, day, fresh);
  if (!stored.ok()) co_return stored.status();
  parts_.salts.Put(site, day, *stored);
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> SaltRotator::Remove(const Sites& sites, int64_t now_ms, bool again) {
  SiteDays first_days;
  for (const auto& site : sites) {
    const size_t index = site->index.value;
    if (index >= removed_.size()) removed_.resize(index + 1);
    const uint32_t first = SaltDays::At(site->days, now_ms).first();
    if (again || removed_[index] != first) first_days.emplace(site->name, first);
  }
  if (first_days.empty()) co_return absl::OkStatus();
  const absl::Status status = co_await parts_.store.RemoveSalts(first_days);
  if (ReportUnlessTransient(status)) co_return status;
  if (!status.ok()) co_return absl::OkStatus();
  for (const auto& site : sites) {
    const auto removed = first_days.find(site->name);
    if (removed != first_days.end()) removed_[site->index.value] = removed->second;
  }
  co_return absl::OkStatus();
}

bool SaltRotator::ReportUnlessTransient(const absl::Status& status) {
  if (IsTransient(status)) return true;
  if (status.ok()) return false;
  unusable_ = true;
  if (unusable_lines_.Take(parts_.clock.Now())) {
    spdlog::error("viewers are not distinguished everywhere, trying again in a minute: {}", ToStd(status.message()));
  }
  return false;
}

asio::awaitable<void> SaltRotator::Run() {
  while (!stopped_) {
    timer_.expires_after(limits::kSaltInterval);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped_) break;
    // After an error the work remains due, and the next round does it.
    (co_await Refresh()).IgnoreError();
  }
}

void SaltRotator::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace viewcount
