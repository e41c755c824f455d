#include "service/instance/lane_set.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "service/base/status.h"
#include "service/lane/fenced_cursors.h"
#include "service/model/lane_choice.h"

namespace viewcount {
namespace asio = boost::asio;

absl::StatusOr<std::unique_ptr<LaneSet>> LaneSet::Open(Dependencies parts, Options options) {
  std::unique_ptr<LaneSet> set(new LaneSet(parts, std::move(options)));
  const std::string& data_dir = set->options_.data_dir;
  for (uint32_t i = 0; i < set->options_.count; ++i) {
    auto entry = set->OpenEntry(i);
    if (!entry.ok()) return entry.status();
    set->entries_.push_back(*std::move(entry));
  }
  for (const auto& [number, path] : ListLanes(data_dir)) {
    if (number < set->options_.count) continue;
    auto entry = set->OpenEntry(number);
    if (!entry.ok()) return entry.status();
    set->surplus_.push_back(*std::move(entry));
  }
  if (auto status = set->MoveWriters(); !status.ok()) return status;
  return set;
}

LaneSet::~LaneSet() {
  StopTaking();
  blocking_.join();
}

absl::StatusOr<std::unique_ptr<LaneSet::Entry>> LaneSet::OpenEntry(uint32_t number) {
  auto directory = LaneDirectory::Open(parts_.disk, parts_.clock, options_.data_dir, number);
  if (!directory.ok()) return directory.status();
  if (directory->identity().earlier.empty()) {
    // A new lane's identity is written first. Later files of the lane, such as a checkpoint, must belong to the same
    // identity after a crash.
    if (auto status = directory->Begin(); !status.ok()) return status;
  }
  auto entry = std::make_unique<Entry>(*std::move(directory));
  if (auto status = Fill(*entry); !status.ok()) return status;
  return entry;
}

absl::Status LaneSet::Fill(Entry& entry) {
  const std::string& folder = entry.directory.path();
  const LaneId lane = entry.directory.identity().id;
  entry.source = std::make_unique<JournalSource>(JournalSource{parts_.disk, folder, lane, parts_.sites, parts_.clock});
  JournalWriter::Options journal;
  journal.folder = folder;
  journal.lane = lane;
  journal.budget_bytes = options_.journal_budget_bytes;
  journal.segment_bytes =
      std::clamp(journal.budget_bytes / 4, limits::kJournalSegmentBytesMin, limits::kJournalSegmentBytes);
  journal.retention = options_.journal_retention;
  auto recovered = RecoverLane(*entry.source, journal);
  if (!recovered.ok()) return recovered.status();
  entry.journal = std::move(recovered->journal);
  entry.ledger = std::make_unique<Ledger>(lane, std::move(recovered->beginning));
  entry.lane = std::make_unique<Lane>(Lane::Dependencies{.disk = parts_.disk,
                                                         .folder = folder,
                                                         .journal = *entry.journal,
                                                         .writers = std::move(recovered->writers),
                                                         .visits = std::move(recovered->visits),
                                                         .cool_downs = std::move(recovered->cool_downs),
                                                         .checkpoint = recovered->checkpoint,
                                                         .ledger = *entry.ledger,
                                                         .clock = parts_.clock,
                                                         .metrics = parts_.metrics});
  return absl::OkStatus();
}

absl::Status LaneSet::MoveWriters() {
  // Without lanes no batch is taken, so no writer needs a dedupe entry.
  if (entries_.empty()) return absl::OkStatus();
  const SteadyTime now = parts_.clock.Now();
  const auto leaves = [this](size_t lane) {
    return [this, lane](const WriterId& id, bool) { return LaneOfWriter(id, entries_.size()) != lane; };
  };
  std::string moving;
  for (size_t i = 0; i < entries_.size(); ++i) {
    moving += entries_[i]->lane->writer_table().Serialize(now, leaves(i));
  }
  for (const auto& entry : surplus_) moving += entry->lane->writer_table().Serialize(now);
  if (moving.empty()) return absl::OkStatus();
  // Every lane writes a checkpoint, because no journal has a record of writers that come from other lanes. All entries
  // are added before any is removed. So a crash in between leaves a writer in two lanes instead of in none.
  for (size_t i = 0; i < entries_.size(); ++i) {
    bool came = false;
    const auto comes = [&](const WriterId& id, bool) {
      const bool here = LaneOfWriter(id, entries_.size()) == i;
      came = came || here;
      return here;
    };
    Lane& lane = *entries_[i]->lane;
    if (auto status = lane.writer_table().Merge(moving, now, comes); !status.ok()) return status;
    if (!came) continue;
    if (auto status = lane.WriteCheckpointNow(); !status.ok()) return status;
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    Lane& lane = *entries_[i]->lane;
    if (lane.writer_table().Split(leaves(i), now).empty()) continue;
    if (auto status = lane.WriteCheckpointNow(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneSet::Settle(CountStore& store) {
  for (Entries* entries : {&surplus_, &entries_}) {
    for (const auto& entry : *entries) {
      if (auto status = co_await SettleIdentity(store, *entry); !status.ok()) co_return status;
    }
  }
  while (!surplus_.empty()) {
    if (auto status = co_await Retire(store, *surplus_.back()); !status.ok()) co_return status;
    surplus_.pop_back();
  }
  co_return absl::OkStatus();
}

absl::Status LaneSet::BeginUnchecked() {
  for (const auto& entry : entries_) {
    const Position end = entry->ledger->totals().position;
    if (auto status = entry->directory.BeginUnchecked(end); !status.ok()) return status;
    entry->unchecked = true;
  }
  return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneSet::SettleIdentity(CountStore& store, Entry& entry) {
  const LaneIdentity& identity = entry.directory.identity();
  Position stored_to;
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto stored = co_await store.ReadLane(Shard{static_cast<uint8_t>(i)}, identity.id);
    if (!stored.ok()) co_return stored.status();
    if (!stored->entry) continue;
    // An unknown incarnation may belong to another process. The claim will find out.
    const auto& known = identity.earlier;
    if (std::find(known.begin(), known.end(), stored->entry->incarnation) == known.end()) continue;
    stored_to = std::max(stored_to, stored->entry->cursor.to());
  }
  // No coroutine suspends from here on, so BeginUnchecked runs entirely before or entirely after this part.
  const Position end = entry.ledger->totals().position;
  switch (entry.directory.Judge(stored_to, end, entry.unchecked)) {
    case LaneDirectory::Verdict::kKeep:
      co_return entry.directory.Begin();
    case LaneDirectory::Verdict::kFenceOff:
      co_return FenceOff(entry, fmt::format("Redis holds views up to position {}", stored_to.value));
    case LaneDirectory::Verdict::kAbandon:
      break;
  }
  spdlog::error(
      "lane {}: Redis holds views up to position {}, but the journal in {} ends at {}: it was lost, or this is an "
      "older copy of it. The lane begins again under another identity; the old journal is kept beside it",
      ToHex(identity.id), stored_to.value, entry.directory.path(), end.value);
  co_return Abandon(entry);
}

absl::Status LaneSet::FenceOff(const Entry& entry, std::string_view stored) {
  const Position checked = *entry.directory.unchecked();
  NoteFenced(parts_.disk, entry.directory.path(), *entry.ledger, checked);
  return ErrorWithReason(
      absl::StatusCode::kAborted,
      fmt::format("lane {}: {}, but the journal in {} ended at {} before views were taken without Redis: it was lost, "
                  "or this is an older copy of it. Those views are in this journal only; bring them into Redis with: "
                  "viewcount journal drain {} --redis URL --as-new",
                  ToHex(entry.directory.identity().id), stored, entry.directory.path(), checked.value,
                  options_.data_dir),
      "FENCED");
}

absl::Status LaneSet::Abandon(Entry& entry) {
  // Imports may be repeated at any time, so their writers are kept. All other writers begin as new ones, because the
  // lost journal would look like a gap in their sequence.
  const SteadyTime now = parts_.clock.Now();
  const std::string imports =
      entry.lane->writer_table().Split([](const WriterId&, bool import) { return import; }, now);
  entry.lane.reset();
  entry.ledger.reset();
  entry.journal.reset();
  if (auto status = entry.directory.Abandon(); !status.ok()) return status;
  if (auto status = Fill(entry); !status.ok()) return status;
  if (auto status = entry.lane->writer_table().Merge(imports, now); !status.ok()) return status;
  return entry.lane->WriteCheckpointNow();
}

asio::awaitable<absl::Status> LaneSet::Retire(CountStore& store, Entry& entry) {
  LedgerListener listener;
  absl::Status fenced;
  const auto executor = co_await asio::this_coro::executor;
  Flusher::Options options;
  options.lane = entry.directory.identity();
  options.fenced = [&fenced](const absl::Status& status) { fenced = status; };
  Flusher flusher(executor, FlusherParts(entry, store, listener), std::move(options));
  auto status = co_await flusher.Recover();
  const uint64_t views = entry.ledger->totals().pending_views;
  if (status.ok()) status = entry.directory.EndUnchecked();
  if (status.ok()) status = co_await flusher.Step();
  if (!fenced.ok()) co_return fenced;
  if (!status.ok()) co_return status;
  retired_views_ += views;
  // The folder is removed before the store's entry. Otherwise a start that finds the journal would count its views
  // again.
  if (auto removed = entry.directory.Remove(); !removed.ok()) co_return removed;
  const LaneId lane = entry.directory.identity().id;
  spdlog::info("lane {} in {} is beyond the configured number: everything of it is in Redis, and it is removed",
               ToHex(lane), entry.directory.path());
  const std::vector<LaneId> ids = {lane};
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto forgotten = co_await store.RemoveLanes(Shard{static_cast<uint8_t>(i)}, ids);
    if (forgotten.ok()) continue;
    spdlog::warn("lane {} stays listed in Redis, which harms nothing: {}", ToHex(lane), ToStd(forgotten.message()));
    break;
  }
  co_return absl::OkStatus();
}

Flusher::Dependencies LaneSet::FlusherParts(Entry& entry, CountStore& store, AppliedListener& listener) {
  return {.ledger = *entry.ledger,
          .store = store,
          .listener = listener,
          .journal = *entry.journal,
          .source = *entry.source,
          .clock = parts_.clock,
          .metrics = parts_.metrics,
          .blocking = blocking_.get_executor()};
}

std::vector<CountCache::Lane> LaneSet::cached_lanes() {
  std::vector<CountCache::Lane> lanes;
  for (const auto& entry : entries_) lanes.push_back({entry->ledger.get(), entry->directory.identity().incarnation});
  return lanes;
}

std::vector<Lane*> LaneSet::lanes() {
  std::vector<Lane*> lanes;
  for (const auto& entry : entries_) lanes.push_back(entry->lane.get());
  return lanes;
}

std::vector<Ledger*> LaneSet::ledgers() {
  std::vector<Ledger*> ledgers;
  for (const auto& entry : entries_) ledgers.push_back(entry->ledger.get());
  return ledgers;
}

Flusher::Options LaneSet::FlusherOptions(Entry& entry, const FlushParts& parts) {
  const auto note = [this, &entry, fenced = parts.fenced](const absl::Status& status) {
    NoteFenced(parts_.disk, entry.directory.path(), *entry.ledger, entry.directory.unchecked());
    fenced(status);
  };
  return {.lane = entry.directory.identity(),
          .interval = parts.interval,
          .fenced = note,
          .released = [lane = entry.lane.get()] { lane->AnswerStored(); }};
}

asio::awaitable<absl::Status> LaneSet::StartFlushing(FlushParts parts) {
  const auto executor = co_await asio::this_coro::executor;
  for (const auto& entry : entries_) {
    if (entry->flusher == nullptr) {
      entry->flusher = std::make_unique<Flusher>(executor, FlusherParts(*entry, parts.store, parts.listener),
                                                 FlusherOptions(*entry, parts));
    }
    const absl::Status status = co_await entry->flusher->Recover();
    if (ReasonOf(status) == "BEYOND_JOURNAL" && entry->directory.unchecked()) {
      // The store has changed since Settle.
      const absl::Status fenced = FenceOff(*entry, ToStd(status.message()));
      parts.fenced(fenced);
      co_return fenced;
    }
    if (!status.ok()) co_return status;
  }
  for (const auto& entry : entries_) {
    if (auto status = entry->directory.EndUnchecked(); !status.ok()) co_return status;
  }
  flushing_ = std::make_unique<WaitGroup>(executor);
  for (const auto& entry : entries_) {
    const auto kick = [flusher = entry->flusher.get()] { flusher->Kick(); };
    entry->lane->NotifyFlusher(kick);
    entry->ledger->NotifySealed(kick);
    flushing_->Spawn(entry->flusher->Run());
  }
  flushes_ = true;
  co_return absl::OkStatus();
}

void LaneSet::StartTaking() {
  for (const auto& entry : entries_) entry->lane->Start();
  maintenance_ = std::thread([this] { Maintain(); });
}

void LaneSet::Maintain() {
  std::unique_lock lock(maintenance_mutex_);
  while (!maintenance_ended_) {
    lock.unlock();
    for (const auto& entry : entries_) entry->lane->Maintain();
    ReportRefusal();
    lock.lock();
    maintenance_wake_.wait_for(lock, limits::kMaintenanceInterval, [this] { return maintenance_ended_; });
  }
}

void LaneSet::SetJournalLimits(uint64_t budget_bytes, std::chrono::milliseconds retention) {
  for (const auto& entry : entries_) entry->journal->SetLimits(budget_bytes, retention);
  journal_budget_bytes_ = budget_bytes;
}

void LaneSet::ReportRefusal() {
  if (const auto reason = refusal()) {
    if (refusal_lines_.Take(parts_.clock.Now())) spdlog::error("views are refused: {}", *reason);
  } else if (refusal_lines_.Reset()) {
    spdlog::info("views are taken again");
  }
}

absl::Status LaneSet::FlushedUnmet() const {
  for (const auto& entry : entries_) {
    const Ledger::LockedView still = entry->ledger->Lock();
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
    entry->lane->NotifyFlusher(nullptr);
    entry->ledger->NotifySealed(nullptr);
    if (entry->flusher != nullptr) entry->flusher->Stop();
  }
  if (flushing_ != nullptr) co_await flushing_->Wait();
}

void LaneSet::StopTaking() {
  for (const auto& entry : entries_) entry->lane->Stop();
  {
    std::lock_guard lock(maintenance_mutex_);
    maintenance_ended_ = true;
  }
  maintenance_wake_.notify_all();
  if (maintenance_.joinable()) maintenance_.join();
}

void LaneSet::SiteChanged(std::shared_ptr<const Site> site) {
  for (const auto& entry : entries_) entry->lane->ApplySite(site);
}

std::vector<LaneSet::LaneState> LaneSet::states() const {
  std::vector<LaneState> states;
  for (const auto& entry : entries_) {
    states.push_back({entry->directory.identity(), entry->ledger->totals(), entry->lane->counters(),
                      entry->lane->writers(), entry->ledger.get()});
  }
  return states;
}

uint64_t LaneSet::pending_views() const {
  return Sum([](const Entry& entry) { return entry.ledger->totals().pending_views; });
}

uint64_t LaneSet::queued_bytes() const {
  return Sum([](const Entry& entry) { return entry.lane->queued_bytes(); });
}

uint64_t LaneSet::writers() const {
  return Sum([](const Entry& entry) { return entry.lane->writers(); });
}

uint64_t LaneSet::chunk_bytes() const {
  return Sum([](const Entry& entry) { return entry.ledger->totals().bytes; });
}

uint64_t LaneSet::journal_bytes() const {
  return Sum([](const Entry& entry) { return entry.journal->bytes(); });
}

std::optional<std::string> LaneSet::refusal() const {
  const uint64_t refusing = refusing_lanes();
  for (const auto& entry : entries_) {
    const auto reason = entry->lane->refusal();
    if (reason) return entries_.size() == 1 ? *reason : fmt::format("{} ({} lanes refuse)", *reason, refusing);
  }
  return std::nullopt;
}

uint64_t LaneSet::refusing_lanes() const {
  return Sum([](const Entry& entry) { return entry.lane->refusal() ? 1 : 0; });
}

std::chrono::duration<double> LaneSet::oldest_pending_age() const {
  SteadyTime oldest = SteadyTime::max();
  for (const auto& entry : entries_) oldest = std::min(oldest, entry->ledger->totals().oldest);
  if (oldest == SteadyTime::max()) return {};
  return parts_.clock.Now() - oldest;
}

}  // namespace viewcount
