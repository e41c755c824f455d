#include "service/instance/site_sync.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/retention.h"
#include "service/sites/stored_site.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kRefreshEvery{1};

}  // namespace

SiteSync::SiteSync(asio::any_io_executor executor, SiteStore& store, SiteDirectory& sites, const Clock& clock)
    : store_(store), sites_(sites), clock_(clock), timer_(executor) {}

std::optional<SiteSettings> SiteSync::LateChange(const Site& known, const SiteSettings& stored) const {
  const uint32_t kept = known.settings.hours_kept_days;
  if (!read_ || stored.hours_kept_days <= kept) return std::nullopt;
  const int64_t now = clock_.UnixMillis();
  int64_t until = FirstHourOfChange(now);
  for (const EarlierHoursKept& earlier : stored.earlier_hours_kept) {
    // All hours that were written with the value known here are promised for no longer.
    if (earlier.days <= kept && earlier.until_unix_ms > now) return std::nullopt;
    until = std::max(until, earlier.until_unix_ms + 1);
  }
  SiteSettings settings = stored;
  AddEarlierHoursKept({.days = kept, .until_unix_ms = until}, settings);
  return settings;
}

asio::awaitable<absl::Status> SiteSync::Refresh() {
  const uint64_t puts = puts_;
  const auto stored = co_await store_.ReadSites();
  if (!stored.ok()) co_return stored.status();
  // The sites that were read may be older than a site that was put meanwhile.
  if (puts != puts_) co_return co_await Refresh();
  std::set<std::string_view> names;
  size_t unusable = 0;
  std::string_view unusable_name;
  absl::Status unusable_status;
  for (const StoredSite& entry : *stored) {
    names.insert(entry.name);
    const auto known = sites_.Find(entry.name);
    const AliasEntries aliases = known == nullptr ? AliasEntries() : known->alias_entries();
    const bool same = known != nullptr && known->settings == entry.settings;
    if (same && Newest(aliases, entry.aliases) == aliases) continue;
    const auto late = known == nullptr ? std::nullopt : LateChange(*known, entry.settings);
    if (late) {
      const StoredSite corrected{entry.name, *late};
      const auto swapped = co_await store_.SwapSite(corrected, entry.settings);
      if (!swapped.ok()) co_return swapped.status();
      // The site was changed meanwhile. The next call decides again.
      if (!*swapped) continue;
    }
    auto site = MakeStoredSite(entry.name, late ? *late : entry.settings);
    if (site.ok()) site->SetAliases(entry.aliases);
    const absl::Status status = site.ok() ? sites_.Put(*std::move(site)).status() : site.status();
    if (!status.ok() && unusable++ == 0) {
      unusable_name = entry.name;
      unusable_status = status;
    }
  }
  if (unusable == 0) {
    unusable_lines_.Reset();
  } else if (unusable_lines_.Take()) {
    spdlog::error("site \"{}\" in Redis cannot be used: {} ({} such sites)", unusable_name,
                  ToStd(unusable_status.message()), unusable);
  }
  for (const StoredSite& entry : *stored) {
    const auto known = sites_.Find(entry.name);
    if (known == nullptr) continue;
    if (auto status = co_await Restore(entry, known->alias_entries()); !status.ok()) co_return status;
  }
  read_ = true;
  // Sites are never removed. If one is missing, Redis has lost data.
  for (const auto& site : sites_.All()) {
    if (names.contains(site->name)) continue;
    const StoredSite lost{site->name, site->settings};
    if (auto status = co_await store_.WriteSite(lost); !status.ok()) co_return status;
    if (auto status = co_await Restore(lost, site->alias_entries()); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> SiteSync::Restore(const StoredSite& stored, const AliasEntries& known) {
  const AliasEntries newest = Newest(stored.aliases, known);
  AliasEntries lost;
  for (const auto& [from, alias] : newest) {
    const auto place = stored.aliases.find(from);
    if (place == stored.aliases.end() || place->second != alias) lost.emplace(from, alias);
  }
  if (lost.empty()) co_return absl::OkStatus();
  co_return co_await store_.WriteAliases(stored.name, lost);
}

bool SiteSync::HasRoomFor(const Site& site) const {
  size_t bytes = ListBytesOf(site.settings);
  if (bytes == 0) return true;
  for (const auto& other : sites_.All()) {
    if (other->name != site.name) bytes += ListBytesOf(other->settings);
  }
  return bytes <= limits::kSiteListsBytesMax;
}

asio::awaitable<absl::StatusOr<bool>> SiteSync::Put(Site site) {
  if (!HasRoomFor(site)) {
    co_return absl::ResourceExhaustedError(
        "there are as many allowed origins and excluded addresses as one data set may have (1 MiB)");
  }
  const StoredSite stored{site.name, site.settings};
  if (auto status = co_await store_.WriteSite(stored); !status.ok()) co_return status;
  ++puts_;
  co_return sites_.Put(std::move(site));
}

asio::awaitable<absl::Status> SiteSync::Create(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (sites_.Find(name) != nullptr) continue;
    auto site = MakeSite(name, {});
    if (!site.ok()) co_return site.status();
    const auto put = co_await Put(*std::move(site));
    if (!put.ok()) co_return put.status();
  }
  co_return absl::OkStatus();
}

asio::awaitable<void> SiteSync::Run() {
  while (!stopped_) {
    timer_.expires_after(kRefreshEvery);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped_) break;
    // While the store is unavailable the directory stays as it is.
    (co_await Refresh()).IgnoreError();
  }
}

void SiteSync::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace viewcount
