#include "service/query/count_watcher.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <set>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

uint64_t RandomSeed() {
  std::array<uint8_t, 16> bytes;
  FillRandom(bytes);
  return Hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Checks the IDs and removes duplicates.
absl::Status CheckAndUnify(std::vector<std::string>& ids) {
  if (ids.size() > limits::kWatchArticlesMax) {
    return InvalidField("article_ids",
                        fmt::format("must be at most {}, not {}", limits::kWatchArticlesMax, ids.size()));
  }
  std::set<std::string_view> named;
  std::vector<std::string> unique;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!IsArticleId(ids[i])) return InvalidField(fmt::format("article_ids[{}]", i), kArticleIdRule);
    if (named.insert(ids[i]).second) unique.push_back(ids[i]);
  }
  ids = std::move(unique);
  return absl::OkStatus();
}

// Returns an ID of the watched articles of a site, which is part of each event's ID. It is the same only for the same
// articles in the same process. No article ID contains a line end.
uint64_t ListIdOf(const Site& site, const std::vector<std::string>& ids, uint64_t seed) {
  std::string text = site.name;
  for (const std::string& id : ids) text += "\n" + id;
  return Hash64(text, seed);
}

absl::Status Stopping() {
  return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
}

absl::Status Full(size_t count_max, std::string_view what) {
  return RetryLater(absl::StatusCode::kResourceExhausted,
                    fmt::format("there are {} {}, the most allowed", count_max, what), limits::kWatchRetryDelay);
}

}  // namespace

struct CountWatcher::Watch {
  Watch(SiteIndex of, Group& in, std::function<void()> call) : site(of), group(in), notify(std::move(call)) {}

  const SiteIndex site;
  // Exists as long as the site has a watch.
  Group& group;
  std::vector<uint32_t> slots;
  uint64_t list_id = 0;
  // All changes up to this version were taken.
  uint64_t seen_version = 0;
  // No message is sent before this time.
  SteadyTime quiet_until = SteadyTime::min();
  // True when the counts of the first message were read.
  bool started = false;
  // True if there is a message to take.
  bool ready = false;
  bool ended = false;

  // Not the watcher's mutex, so that `notify` may call Take. Recursive, so that `notify` may destroy its subscription.
  RecursiveMutex notify_mutex;
  bool gone ABSL_GUARDED_BY(notify_mutex) = false;
  const std::function<void()> notify;
};

CountWatcher::CountWatcher(asio::any_io_executor executor, Dependencies parts)
    : parts_(parts), seed_(RandomSeed()), timer_(executor), turn_(executor) {}

asio::awaitable<absl::StatusOr<std::shared_ptr<CountWatcher::Subscription>>> CountWatcher::Subscribe(
    std::shared_ptr<const Site> site, std::vector<std::string> ids, std::string_view resume_after,
    std::function<void()> notify, std::shared_ptr<Caller> caller) {
  if (auto status = CheckAndUnify(ids); !status.ok()) co_return status;
  if (stopped_) co_return Stopping();
  const auto watch = Add(*site, ids, std::move(notify));
  if (!watch.ok()) co_return watch.status();
  // If anything fails from here on, the subscription's destructor frees what is watched.
  auto subscription = std::make_shared<Subscription>(*this, *watch);
  // A named variable is required, because g++ 12 destroys an aggregate twice that is made within co_await.
  const WatchedSite::Piece piece{(*watch)->slots, ids};
  if (auto status = co_await ReadFirstInTurn(site, piece, std::move(caller)); !status.ok()) co_return status;
  if (stopped_) co_return Stopping();
  const MutexLock lock(mutex_);
  (*watch)->list_id = ListIdOf(*site, ids, seed_);
  (*watch)->seen_version = SeenVersion(resume_after, (*watch)->list_id);
  (*watch)->started = true;
  (*watch)->ready = HasNews(**watch);
  co_return subscription;
}

absl::StatusOr<std::shared_ptr<CountWatcher::Watch>> CountWatcher::Add(const Site& site,
                                                                       const std::vector<std::string>& ids,
                                                                       std::function<void()> notify) {
  const MutexLock lock(mutex_);
  if (subscriptions_ >= limits::kWatchersMax) return Full(limits::kWatchersMax, "watchers");
  if (watches_ + ids.size() > limits::kWatchesMax) return Full(limits::kWatchesMax, "watches of articles");
  if (articles_ + ids.size() > limits::kWatchedArticlesMax) {
    return Full(limits::kWatchedArticlesMax, "different articles watched");
  }
  Group& group = groups_[site.index];
  auto watch = std::make_shared<Watch>(site.index, group, std::move(notify));
  articles_ -= group.site.articles();
  watch->slots.reserve(ids.size());
  for (const std::string& id : ids) watch->slots.push_back(group.site.Add(id));
  articles_ += group.site.articles();
  watches_ += ids.size();
  ++subscriptions_;
  group.watches.emplace(watch.get(), watch);
  parts_.metrics.watchers.Set(static_cast<double>(subscriptions_));
  return watch;
}

void CountWatcher::Remove(Watch& watch) {
  {
    const MutexLock lock(watch.notify_mutex);
    watch.gone = true;
  }
  const MutexLock lock(mutex_);
  Group& group = watch.group;
  articles_ -= group.site.articles();
  for (const uint32_t slot : watch.slots) group.site.Remove(slot);
  articles_ += group.site.articles();
  watches_ -= watch.slots.size();
  --subscriptions_;
  parts_.metrics.watchers.Set(static_cast<double>(subscriptions_));
  group.watches.erase(&watch);
  if (group.watches.empty()) groups_.erase(watch.site);
}

uint64_t CountWatcher::SeenVersion(std::string_view event_id, uint64_t list_id) const {
  const std::string prefix = fmt::format("{:016x}-", list_id);
  if (!event_id.starts_with(prefix)) return 0;
  event_id.remove_prefix(prefix.size());
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(event_id.data(), event_id.data() + event_id.size(), version);
  if (error != std::errc() || end != event_id.data() + event_id.size() || version > version_) return 0;
  return version;
}

asio::awaitable<absl::Status> CountWatcher::ReadFirstInTurn(std::shared_ptr<const Site> site,
                                                            const WatchedSite::Piece& piece,
                                                            std::shared_ptr<Caller> caller) {
  if (caller == nullptr) caller = std::make_shared<Caller>();
  while (first_reads_ >= limits::kWatchFirstReadsMax && !stopped_ && !caller->gone()) {
    co_await turn_.Wait(caller->slot());
  }
  if (stopped_) co_return Stopping();
  if (caller->gone()) {
    // It may have been woken because it is its turn.
    turn_.NotifyOne();
    co_return absl::CancelledError("the caller has gone");
  }
  ++first_reads_;
  const absl::Status status = co_await ReadFirst(std::move(site), piece);
  --first_reads_;
  turn_.NotifyOne();
  co_return status;
}

asio::awaitable<absl::Status> CountWatcher::ReadFirst(std::shared_ptr<const Site> site,
                                                      const WatchedSite::Piece& piece) {
  if (!piece.ids.empty()) {
    const uint64_t number = ++reads_;
    const std::vector<std::string_view> asked(piece.ids.begin(), piece.ids.end());
    if (const auto cached = parts_.counts.ReadCached(site, asked)) {
      Update(site->index, piece, *cached, number);
    } else {
      const auto counts = co_await parts_.counts.Read(site, piece.ids);
      if (!counts.ok()) co_return counts.status();
      Update(site->index, piece, *counts, number);
    }
  }
  const uint64_t number = ++reads_;
  const auto total = co_await parts_.stats.ReadTotal(site);
  if (!total.ok()) co_return total.status();
  UpdateTotal(site->index, *total, number);
  co_return absl::OkStatus();
}

asio::awaitable<void> CountWatcher::Run() {
  SteadyTime next = parts_.clock.Now();
  while (!stopped_) {
    next = std::max(next + limits::kWatchInterval, parts_.clock.Now());
    timer_.expires_after(next - parts_.clock.Now());
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!stopped_) co_await Tick();
  }
}

asio::awaitable<void> CountWatcher::Tick() {
  std::vector<SiteIndex> sites;
  {
    const MutexLock lock(mutex_);
    for (const auto& [site, group] : groups_) sites.push_back(site);
  }
  for (const SiteIndex site : sites) {
    co_await ReadSite(parts_.sites.At(site));
    if (stopped_) co_return;
    Notify(site);
  }
}

asio::awaitable<void> CountWatcher::ReadSite(std::shared_ptr<const Site> site) {
  uint32_t from = 0;
  while (!stopped_) {
    WatchedSite::Piece piece;
    {
      const MutexLock lock(mutex_);
      const auto group = groups_.find(site->index);
      if (group == groups_.end()) co_return;
      piece = group->second.site.NextPiece(from);
    }
    if (piece.ids.empty()) break;
    const uint64_t number = ++reads_;
    const auto counts = co_await parts_.counts.Read(site, piece.ids);
    if (counts.ok()) Update(site->index, piece, *counts, number);
  }
  const uint64_t number = ++reads_;
  const auto total = co_await parts_.stats.ReadTotal(site);
  if (total.ok()) UpdateTotal(site->index, *total, number);
}

void CountWatcher::Update(SiteIndex site, const WatchedSite::Piece& piece, const Counts& counts, uint64_t read_number) {
  const MutexLock lock(mutex_);
  const auto group = groups_.find(site);
  if (group == groups_.end()) return;
  if (group->second.site.Update(piece, counts, read_number, version_ + 1)) ++version_;
}

void CountWatcher::UpdateTotal(SiteIndex site, const SiteTotal& total, uint64_t read_number) {
  const MutexLock lock(mutex_);
  const auto group = groups_.find(site);
  if (group == groups_.end()) return;
  if (group->second.site.UpdateTotal(total, read_number, version_ + 1)) ++version_;
}

bool CountWatcher::HasNews(const Watch& watch) {
  const WatchedSite& site = watch.group.site;
  return site.total().changed_version > watch.seen_version ||
         std::any_of(watch.slots.begin(), watch.slots.end(),
                     [&](uint32_t slot) { return site.slot(slot).changed_version > watch.seen_version; });
}

void CountWatcher::Notify(SiteIndex site) {
  std::vector<std::shared_ptr<Watch>> told;
  {
    const SteadyTime now = parts_.clock.Now();
    const MutexLock lock(mutex_);
    const auto group = groups_.find(site);
    if (group == groups_.end()) return;
    for (const auto& [key, watch] : group->second.watches) {
      if (!watch->started || watch->ready || now < watch->quiet_until || !HasNews(*watch)) continue;
      watch->ready = true;
      told.push_back(watch);
    }
  }
  Call(told);
}

void CountWatcher::Call(const std::vector<std::shared_ptr<Watch>>& watches) {
  for (const auto& watch : watches) {
    const MutexLock lock(watch->notify_mutex);
    if (!watch->gone) watch->notify();
  }
}

bool CountWatcher::Take(Watch& watch, v1::WatchCountsResponse& response, std::string& event_id) {
  const SteadyTime now = parts_.clock.Now();
  const MutexLock lock(mutex_);
  if (!watch.ready || watch.ended) return false;
  const WatchedSite& site = watch.group.site;
  response.Clear();
  int64_t as_of_unix_ms = site.total().as_of_unix_ms;
  for (const uint32_t index : watch.slots) {
    const WatchedSite::Slot& slot = site.slot(index);
    as_of_unix_ms = std::min(as_of_unix_ms, slot.as_of_unix_ms);
    if (slot.changed_version <= watch.seen_version) continue;
    auto* count = response.add_counts();
    count->set_article_id(slot.id);
    count->set_views(slot.totals.views);
    count->set_bot_views(slot.totals.bot_views);
  }
  response.set_site_views(site.total().views);
  response.set_site_visits(site.total().visits);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(as_of_unix_ms);
  watch.seen_version = version_;
  watch.ready = false;
  watch.quiet_until = now + limits::kWatchPause;
  event_id = fmt::format("{:016x}-{}", watch.list_id, version_);
  return true;
}

void CountWatcher::Stop() {
  stopped_ = true;
  timer_.cancel();
  turn_.NotifyAll();
  std::vector<std::shared_ptr<Watch>> told;
  {
    const MutexLock lock(mutex_);
    for (auto& [site, group] : groups_) {
      for (const auto& [key, watch] : group.watches) {
        watch->ended = true;
        if (watch->started) told.push_back(watch);
      }
    }
  }
  Call(told);
}

size_t CountWatcher::subscriptions() const {
  const MutexLock lock(mutex_);
  return subscriptions_;
}

size_t CountWatcher::watched_articles() const {
  const MutexLock lock(mutex_);
  return articles_;
}

CountWatcher::Subscription::~Subscription() { watcher_.Remove(*watch_); }

bool CountWatcher::Subscription::Take(v1::WatchCountsResponse& response, std::string& event_id) {
  return watcher_.Take(*watch_, response, event_id);
}

bool CountWatcher::Subscription::ended() const {
  const MutexLock lock(watcher_.mutex_);
  return watch_->ended;
}

}  // namespace viewcount
