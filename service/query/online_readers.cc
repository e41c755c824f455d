#include "service/query/online_readers.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/store/viewer_set.h"

namespace viewcount {
namespace asio = boost::asio;

// A viewer who was noted must be noted again before being offline.
static_assert(2 * limits::kOnlineNoteInterval < limits::kOnlineSpan - limits::kOnlineSlot);

OnlineReaders::Stay OnlineReaders::Enter(std::shared_ptr<const Site> site, uint64_t viewer) {
  if (viewer == 0) return {};
  const MutexLock lock(mutex_);
  Present& present = sites_[site->index.value];
  if (present.site == nullptr) present.site = site;
  ++present.viewers[viewer];
  return {*this, std::move(site), viewer};
}

void OnlineReaders::Leave(const std::shared_ptr<const Site>& site, uint64_t viewer) {
  const MutexLock lock(mutex_);
  const auto present = sites_.find(site->index.value);
  const auto streams = present->second.viewers.find(viewer);
  if (--streams->second > 0) return;
  present->second.viewers.erase(streams);
  if (present->second.viewers.empty()) sites_.erase(present);
}

std::vector<std::pair<std::shared_ptr<const Site>, std::vector<uint64_t>>> OnlineReaders::Read() {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::shared_ptr<const Site>, std::vector<uint64_t>>> sites;
  for (const auto& [index, present] : sites_) {
    auto& [site, viewers] = sites.emplace_back(present.site, std::vector<uint64_t>());
    viewers.reserve(present.viewers.size());
    for (const auto& [viewer, streams] : present.viewers) viewers.push_back(viewer);
  }
  return sites;
}

asio::awaitable<absl::Status> OnlineReaders::Note() {
  absl::Status first;
  const uint32_t slot = OnlineSlotOf(clock_.UnixMillis());
  for (auto& [site, viewers] : Read()) {
    std::vector<ViewerSet> sets;
    sets.push_back({.site = site->name,
                    .name = {.kind = ViewerSetName::Kind::kOnline, .number = slot},
                    .viewers = std::move(viewers)});
    const absl::Status status = co_await store_.AddViewers(ShardOf(ArticleHash(site->seed, "")), sets);
    if (first.ok()) first = status;
  }
  co_return first;
}

asio::awaitable<void> OnlineReaders::Run() {
  while (!stopped_) {
    timer_.expires_after(limits::kOnlineNoteInterval);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped_) break;
    const absl::Status ignored_status = co_await Note();
    static_cast<void>(ignored_status);
  }
}

void OnlineReaders::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace viewcount
