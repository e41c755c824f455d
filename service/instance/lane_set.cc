#include "service/instance/lane_set.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

absl::StatusOr<std::unique_ptr<LaneSet>> LaneSet::Open(Dependencies parts, Options options) {
  std::unique_ptr<LaneSet> set(new LaneSet(parts));
  set->journal_budget_bytes_ = options.journal_budget_bytes;
  set->journal_retention_ = options.journal_retention;
  auto group = LaneGroup::Open(
      {.disk = parts.disk,
       .sites = parts.sites,
       .clock = parts.clock,
       .metrics = parts.metrics,
       .blocking = set->blocking_.get_executor()},
      {.data_dir = std::move(options.data_dir),
       .count = options.count,
       .lane = {.journal_budget_bytes = options.journal_budget_bytes, .journal_retention = options.journal_retention}});
  if (!group.ok()) return group.status();
  set->group_ = *std::move(group);
  return set;
}

LaneSet::~LaneSet() {
  if (group_ != nullptr) StopTaking();
  blocking_.join();
}

std::vector<Lane*> LaneSet::lanes() {
  std::vector<Lane*> lanes;
  for (const auto& lane : active()) lanes.push_back(&lane->lane());
  return lanes;
}

std::vector<Ledger*> LaneSet::ledgers() {
  std::vector<Ledger*> ledgers;
  for (const auto& lane : group_->lanes()) ledgers.push_back(&lane->ledger());
  return ledgers;
}

asio::awaitable<absl::Status> LaneSet::StartFlushing(FlushParts parts) {
  if (auto status = co_await group_->Recover(parts); !status.ok()) co_return status;
  const auto executor = co_await asio::this_coro::executor;
  flushing_ = std::make_unique<WaitGroup>(executor);
  for (const auto& lane : group_->lanes()) {
    const auto kick = [flusher = lane->flusher()] { flusher->Kick(); };
    lane->lane().NotifyFlusher(kick);
    lane->ledger().NotifySealed(kick);
    flushing_->Spawn(lane->flusher()->Run());
  }
  flushes_ = true;
  co_return absl::OkStatus();
}

void LaneSet::StartTaking() {
  for (const auto& lane : group_->lanes()) lane->lane().Start();
  maintenance_ = std::thread([this] { Maintain(); });
}

void LaneSet::Maintain() {
  MutexLock lock(maintenance_mutex_);
  while (!maintenance_ended_) {
    lock.Unlock();
    for (const auto& lane : group_->lanes()) lane->lane().Maintain();
    if (flushes_) group_->MarkRetired(journal_retention_);
    ReportRefusal();
    lock.Lock();
    const auto next = std::chrono::steady_clock::now() + limits::kMaintenanceInterval;
    while (!maintenance_ended_ && lock.WaitUntil(maintenance_wake_, next)) {
    }
  }
}

void LaneSet::SetJournalLimits(uint64_t budget_bytes, std::chrono::milliseconds retention) {
  for (const auto& lane : group_->lanes()) lane->journal().SetLimits(budget_bytes, retention);
  journal_budget_bytes_ = budget_bytes;
  journal_retention_ = retention;
}

void LaneSet::ReportRefusal() {
  if (const auto reason = refusal()) {
    if (refusal_lines_.Take(parts_.clock.Now())) spdlog::error("views are refused: {}", *reason);
  } else if (refusal_lines_.Reset()) {
    spdlog::info("views are taken again");
  }
}

absl::Status LaneSet::FlushedUnmet() const {
  for (const auto& lane : group_->lanes()) {
    const Ledger::LockedView still = lane->ledger().Lock();
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      if (still.Journaled(Shard{static_cast<uint8_t>(i)}) == 0) continue;
      return RetryLater(absl::StatusCode::kUnavailable, "Redis has not come since the start", limits::kRetryDelay);
    }
  }
  return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneSet::FlushNow(std::chrono::milliseconds timeout) {
  absl::Status result;
  if (flushing_ == nullptr) co_return FlushedUnmet();
  WaitGroup flushes(co_await asio::this_coro::executor);
  for (const auto& lane : group_->lanes()) {
    flushes.Spawn([](Flusher& flusher, std::chrono::milliseconds limit, absl::Status& into) -> asio::awaitable<void> {
      if (auto status = co_await flusher.FlushNow(limit); !status.ok()) into = status;
    }(*lane->flusher(), timeout, result));
  }
  co_await flushes.Wait();
  co_return result;
}

asio::awaitable<void> LaneSet::StopFlushing() {
  for (const auto& lane : group_->lanes()) {
    lane->lane().NotifyFlusher(nullptr);
    lane->ledger().NotifySealed(nullptr);
    if (lane->flusher() != nullptr) lane->flusher()->Stop();
  }
  if (flushing_ != nullptr) co_await flushing_->Wait();
}

void LaneSet::StopTaking() {
  for (const auto& lane : group_->lanes()) lane->lane().Stop();
  {
    const MutexLock lock(maintenance_mutex_);
    maintenance_ended_ = true;
  }
  maintenance_wake_.notify_all();
  if (maintenance_.joinable()) maintenance_.join();
}

void LaneSet::SiteChanged(std::shared_ptr<const Site> site) {
  for (const auto& lane : group_->lanes()) lane->lane().ApplySite(site);
}

std::vector<LaneSet::LaneState> LaneSet::states() const {
  std::vector<LaneState> states;
  for (const auto& lane : group_->lanes()) {
    states.push_back(
        {lane->identity(), lane->ledger().totals(), lane->lane().counters(), lane->lane().writers(), &lane->ledger()});
  }
  return states;
}

uint64_t LaneSet::pending_views() const {
  return Sum([](const LaneRuntime& lane) { return lane.ledger().totals().pending_views; });
}

uint64_t LaneSet::queued_bytes() const {
  return Sum([](const LaneRuntime& lane) { return lane.lane().queued_bytes(); });
}

uint64_t LaneSet::writers() const {
  return Sum([](const LaneRuntime& lane) { return lane.lane().writers(); });
}

uint64_t LaneSet::chunk_bytes() const {
  return Sum([](const LaneRuntime& lane) { return lane.ledger().totals().bytes; });
}

uint64_t LaneSet::journal_bytes() const {
  return Sum([](const LaneRuntime& lane) { return lane.journal().bytes(); });
}

std::optional<std::string> LaneSet::refusal() const {
  const uint64_t refusing = refusing_lanes();
  for (const auto& lane : active()) {
    const auto reason = lane->lane().refusal();
    if (reason) return active().size() == 1 ? *reason : fmt::format("{} ({} lanes refuse)", *reason, refusing);
  }
  return std::nullopt;
}

uint64_t LaneSet::refusing_lanes() const {
  return static_cast<uint64_t>(
      std::count_if(active().begin(), active().end(), [](const auto& lane) { return lane->lane().refusal(); }));
}

std::chrono::duration<double> LaneSet::oldest_pending_age() const {
  SteadyTime oldest = SteadyTime::max();
  for (const auto& lane : group_->lanes()) oldest = std::min(oldest, lane->ledger().totals().oldest);
  if (oldest == SteadyTime::max()) return {};
  return parts_.clock.Now() - oldest;
}

}  // namespace viewcount
