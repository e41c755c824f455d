#include "service/server/lane_set.h"

#include <algorithm>
#include <utility>

#include "service/journal/journal.h"

namespace viewcount {
namespace asio = boost::asio;

LaneSet::Entry::Entry(LaneDirectory opened, const Clock& clock, Metrics& metrics)
    : directory(std::move(opened)),
      identity{.id = directory.lane(), .incarnation = RandomId<Incarnation>()},
      ledger(identity.id),
      lane(std::make_unique<VolatileJournal>(), ledger, clock, metrics) {}

absl::StatusOr<std::unique_ptr<LaneSet>> LaneSet::Open(const std::string& data_dir, uint32_t count, const Clock& clock,
                                                       Metrics& metrics) {
  std::unique_ptr<LaneSet> set(new LaneSet(clock, metrics));
  for (uint32_t i = 0; i < count; ++i) {
    auto directory = LaneDirectory::Open(data_dir, i);
    if (!directory.ok()) return directory.status();
    set->entries_.push_back(std::make_unique<Entry>(*std::move(directory), clock, metrics));
  }
  for (const uint32_t number : LaneDirectory::Surplus(data_dir, count)) {
    auto directory = LaneDirectory::Open(data_dir, number);
    if (!directory.ok()) return directory.status();
    set->surplus_.push_back(*std::move(directory));
  }
  for (const auto& entry : set->entries_) entry->lane.Start();
  return set;
}

LaneSet::~LaneSet() { StopTaking(); }

std::vector<CountCache::Lane> LaneSet::cached_lanes() {
  std::vector<CountCache::Lane> lanes;
  for (const auto& entry : entries_) lanes.push_back({&entry->ledger, entry->identity.incarnation});
  return lanes;
}

std::vector<Lane*> LaneSet::lanes() {
  std::vector<Lane*> lanes;
  for (const auto& entry : entries_) lanes.push_back(&entry->lane);
  return lanes;
}

std::vector<Ledger*> LaneSet::ledgers() {
  std::vector<Ledger*> ledgers;
  for (const auto& entry : entries_) ledgers.push_back(&entry->ledger);
  return ledgers;
}

void LaneSet::StartFlushing(asio::any_io_executor executor, FlushParts parts) {
  flushing_ = std::make_unique<WaitGroup>(executor);
  for (const auto& entry : entries_) {
    entry->flusher = std::make_unique<Flusher>(
        executor, Flusher::Parts{entry->ledger, parts.store, parts.sites, parts.listener, clock_, metrics_},
        Flusher::Options{entry->identity, parts.interval, parts.fenced});
    entry->lane.NotifyLargeChunk([flusher = entry->flusher.get()] { flusher->Kick(); });
    flushing_->Spawn(entry->flusher->Run());
  }
}

asio::awaitable<absl::Status> LaneSet::FlushNow(std::chrono::milliseconds timeout) {
  absl::Status result;
  WaitGroup flushes(co_await asio::this_coro::executor);
  for (const auto& entry : entries_) {
    flushes.Spawn([](Flusher& flusher, std::chrono::milliseconds limit, absl::Status& into) -> asio::awaitable<void> {
      if (auto status = co_await flusher.FlushNow(limit); !status.ok()) into = status;
    }(*entry->flusher, timeout, result));
  }
  co_await flushes.Wait();
  co_return result;
}

asio::awaitable<void> LaneSet::StopFlushing() {
  for (const auto& entry : entries_) {
    entry->lane.NotifyLargeChunk(nullptr);
    entry->flusher->Stop();
  }
  co_await flushing_->Wait();
}

void LaneSet::StopTaking() {
  for (const auto& entry : entries_) entry->lane.Stop();
}

asio::awaitable<absl::Status> LaneSet::RemoveEverywhere(CountStore& store, const std::vector<LaneId>& lanes) {
  absl::Status result;
  WaitGroup removals(co_await asio::this_coro::executor);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    removals.Spawn(
        [](CountStore& from, Shard shard, const std::vector<LaneId>& ids, absl::Status& into) -> asio::awaitable<void> {
          if (auto status = co_await from.RemoveLanes(shard, ids); !status.ok()) into = status;
        }(store, Shard{static_cast<uint8_t>(i)}, lanes, result));
  }
  co_await removals.Wait();
  co_return result;
}

asio::awaitable<absl::Status> LaneSet::ForgetRetired(CountStore& store) {
  std::vector<LaneId> retired;
  const auto add = [&](const LaneDirectory& directory) {
    retired.insert(retired.end(), directory.retired().begin(), directory.retired().end());
  };
  for (const auto& entry : entries_) add(entry->directory);
  for (const LaneDirectory& directory : surplus_) add(directory);
  if (auto status = co_await RemoveEverywhere(store, retired); !status.ok()) co_return status;
  for (const auto& entry : entries_) {
    if (auto status = entry->directory.Begin(); !status.ok()) co_return status;
  }
  for (LaneDirectory& directory : surplus_) directory.Remove();
  surplus_.clear();
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneSet::Retire(CountStore& store) {
  std::vector<LaneId> ids;
  for (const auto& entry : entries_) ids.push_back(entry->identity.id);
  co_return co_await RemoveEverywhere(store, ids);
}

void LaneSet::SiteChanged(std::shared_ptr<const Site> site) {
  for (const auto& entry : entries_) entry->lane.ApplySite(site);
}

std::vector<LaneSet::LaneState> LaneSet::states() const {
  std::vector<LaneState> states;
  for (const auto& entry : entries_)
    states.push_back({entry->identity.id, entry->ledger.totals(), entry->lane.writers()});
  return states;
}

uint64_t LaneSet::pending_views() const {
  return Sum([](const Entry& entry) { return entry.ledger.totals().pending_views; });
}

uint64_t LaneSet::queued_bytes() const {
  return Sum([](const Entry& entry) { return entry.lane.queued_bytes(); });
}

uint64_t LaneSet::writers() const {
  return Sum([](const Entry& entry) { return entry.lane.writers(); });
}

uint64_t LaneSet::chunk_bytes() const {
  return Sum([](const Entry& entry) { return entry.ledger.totals().bytes; });
}

std::chrono::duration<double> LaneSet::oldest_pending_age() const {
  SteadyTime oldest = SteadyTime::max();
  for (const auto& entry : entries_) oldest = std::min(oldest, entry->ledger.totals().oldest);
  if (oldest == SteadyTime::max()) return {};
  return clock_.Now() - oldest;
}

}  // namespace viewcount
