#include "service/instance/lane_runtime.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <utility>
#include <vector>

#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/lane/fenced_cursors.h"
#include "service/lane/recovery.h"

namespace viewcount {
namespace asio = boost::asio;

LaneRuntime::LaneRuntime(Dependencies parts, Options options, LaneDirectory directory)
    : parts_(std::move(parts)), options_(std::move(options)), directory_(std::move(directory)) {}

absl::StatusOr<std::unique_ptr<LaneRuntime>> LaneRuntime::Open(Dependencies parts, Options options,
                                                               LaneDirectory directory) {
  std::unique_ptr<LaneRuntime> lane(new LaneRuntime(std::move(parts), std::move(options), std::move(directory)));
  if (auto status = lane->directory_.Prepare(); !status.ok()) return status;
  if (auto status = lane->Fill(); !status.ok()) return status;
  return lane;
}

absl::Status LaneRuntime::Fill() {
  const ForeignJournal place = options_.journal.value_or(ForeignJournal{directory_.path(), identity().id});
  source_ =
      std::make_unique<JournalSource>(JournalSource{parts_.disk, place.folder, place.lane, parts_.sites, parts_.clock});
  const uint64_t quarter =
      std::clamp(options_.journal_budget_bytes / 4, limits::kJournalSegmentBytesMin, limits::kJournalSegmentBytes);
  auto recovered = RecoverLane(*source_, {.folder = place.folder,
                                          .lane = place.lane,
                                          .segment_bytes = options_.segment_bytes.value_or(quarter),
                                          .budget_bytes = options_.journal_budget_bytes,
                                          .retention = options_.journal_retention});
  if (!recovered.ok()) return recovered.status();
  journal_ = std::move(recovered->journal);
  ledger_ = std::make_unique<Ledger>(identity().id, std::move(recovered->beginning));
  lane_ = std::make_unique<Lane>(Lane::Dependencies{.disk = parts_.disk,
                                                    .folder = place.folder,
                                                    .journal = *journal_,
                                                    .writers = std::move(recovered->writers),
                                                    .visits = std::move(recovered->visits),
                                                    .cool_downs = std::move(recovered->cool_downs),
                                                    .checkpoint = recovered->checkpoint,
                                                    .ledger = *ledger_,
                                                    .clock = parts_.clock,
                                                    .metrics = parts_.metrics,
                                                    .failed = options_.failed});
  return absl::OkStatus();
}

absl::Status LaneRuntime::BeginUnchecked() {
  if (auto status = directory_.BeginUnchecked(ledger_->totals().position); !status.ok()) return status;
  unchecked_ = true;
  return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneRuntime::Settle(CountStore& store) {
  Position stored_to;
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto stored = co_await store.ReadLane(Shard{static_cast<uint8_t>(i)}, identity().id);
    if (!stored.ok()) co_return stored.status();
    if (!stored->entry) continue;
    // An unknown incarnation may belong to another process. The claim will find out.
    const auto& known = identity().earlier;
    if (std::find(known.begin(), known.end(), stored->entry->incarnation) == known.end()) continue;
    stored_to = std::max(stored_to, stored->entry->cursor.to());
  }
  // No coroutine suspends from here on, so BeginUnchecked runs entirely before or entirely after this part.
  const Position end = ledger_->totals().position;
  switch (directory_.Judge(stored_to, end, unchecked_)) {
    case LaneDirectory::Verdict::kKeep:
      co_return directory_.Begin();
    case LaneDirectory::Verdict::kFenceOff:
      co_return FenceOff(fmt::format("Redis holds views up to position {}", stored_to.value));
    case LaneDirectory::Verdict::kAbandon:
      break;
  }
  spdlog::error(
      "lane {}: Redis holds views up to position {}, but the journal in {} ends at {}: it was lost, or this is an "
      "older copy of it. The lane begins again under another identity; the old journal is kept beside it",
      ToHex(identity().id), stored_to.value, directory_.path(), end.value);
  co_return Abandon();
}

absl::Status LaneRuntime::FenceOff(std::string_view stored) const {
  const Position checked = *directory_.unchecked();
  NoteFenced(parts_.disk, directory_.path(), *ledger_, checked);
  const auto data_dir = std::filesystem::path(directory_.path()).parent_path().parent_path();
  return ErrorWithReason(
      absl::StatusCode::kAborted,
      fmt::format("lane {}: {}, but the journal in {} ended at {} before views were taken without Redis: it was lost, "
                  "or this is an older copy of it. Those views are in this journal only; bring them into Redis with: "
                  "viewcount journal drain {} --redis URL --as-new",
                  ToHex(identity().id), stored, directory_.path(), checked.value, data_dir.string()),
      "FENCED");
}

absl::Status LaneRuntime::Abandon() {
  // Imports may be repeated at any time, so their writers are kept. All other writers begin as new ones, because the
  // lost journal would look like a gap in their sequence. The sequences may be those of an older copy. So an import of
  // counts is compared with its claim in the store, which names the lost identity
  // (docs/decisions/imports-of-counts-are-writers.md).
  const SteadyTime now = parts_.clock.Now();
  const std::string imports = lane_->writer_table().Split([](const WriterId&, bool import) { return import; }, now);
  lane_.reset();
  ledger_.reset();
  journal_.reset();
  if (auto status = directory_.Abandon(); !status.ok()) return status;
  if (auto status = Fill(); !status.ok()) return status;
  if (auto status = lane_->writer_table().Merge(imports, now); !status.ok()) return status;
  return lane_->WriteCheckpointNow();
}

Flusher::Dependencies LaneRuntime::FlusherParts(CountStore& store, AppliedListener* listener) {
  return {.ledger = *ledger_,
          .store = store,
          .listener = listener,
          .journal = *journal_,
          .source = *source_,
          .clock = parts_.clock,
          .metrics = parts_.metrics,
          .blocking = parts_.blocking};
}

Flusher::Options LaneRuntime::FlusherOptions(std::function<void(const absl::Status&)> fenced) {
  return {.lane = identity(), .part_articles_max = options_.part_articles_max, .fenced = std::move(fenced)};
}

void LaneRuntime::MakeFlusher(const asio::any_io_executor& executor, const FlushParts& parts) {
  Flusher::Options options = FlusherOptions([this, fenced = parts.fenced](const absl::Status& status) {
    NoteFenced(parts_.disk, directory_.path(), *ledger_, directory_.unchecked());
    fenced(status);
  });
  options.interval = parts.interval;
  released_at_ = parts_.clock.Now();
  options.released = [this] {
    released_at_ = parts_.clock.Now();
    lane_->AnswerStored();
  };
  flusher_ = std::make_unique<Flusher>(executor, FlusherParts(parts.store, &parts.listener), std::move(options));
}

asio::awaitable<absl::Status> LaneRuntime::Recover(const FlushParts& parts) {
  const auto executor = co_await asio::this_coro::executor;
  if (flusher_ == nullptr) MakeFlusher(executor, parts);
  absl::Status status = co_await flusher_->Recover();
  if (ReasonOf(status) == "BEYOND_JOURNAL" && directory_.unchecked()) {
    // The store has changed since Settle.
    status = FenceOff(ToStd(status.message()));
    parts.fenced(status);
  }
  co_return status;
}

bool LaneRuntime::StoredSince(std::chrono::milliseconds duration) const {
  const Ledger::Totals totals = ledger_->totals();
  return totals.flushed == totals.position && totals.pending_views == 0 &&
         parts_.clock.Now() - released_at_.load() >= duration;
}

asio::awaitable<absl::Status> LaneRuntime::Drain(CountStore& store) {
  absl::Status fenced;
  const auto executor = co_await asio::this_coro::executor;
  const auto note = [&fenced](const absl::Status& status) { fenced = status; };
  Flusher flusher(executor, FlusherParts(store, nullptr), FlusherOptions(note));
  auto status = co_await flusher.Recover();
  drained_views_ = std::max(drained_views_, ledger_->totals().pending_views);
  if (status.ok()) status = directory_.EndUnchecked();
  if (status.ok()) status = co_await flusher.Step();
  co_return fenced.ok() ? status : fenced;
}

asio::awaitable<absl::Status> LaneRuntime::Remove(CountStore& store) {
  if (Planted(PlantedBug::kForgetLaneEarly)) co_await ForgetLane(store, identity().id);
  // The folder is removed before the store's entry. Otherwise a start that finds the journal would count its views
  // again.
  if (auto status = directory_.Remove(); !status.ok()) co_return status;
  spdlog::info("lane {} in {} takes no more views: everything of it is in Redis, and it is removed",
               ToHex(identity().id), directory_.path());
  co_await ForgetLane(store, identity().id);
  co_return absl::OkStatus();
}

asio::awaitable<void> ForgetLane(CountStore& store, LaneId lane) {
  const std::vector<LaneId> ids = {lane};
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto forgotten = co_await store.RemoveLanes(Shard{static_cast<uint8_t>(i)}, ids);
    if (forgotten.ok()) continue;
    spdlog::warn("lane {} stays listed in Redis, which harms nothing: {}", ToHex(lane), ToStd(forgotten.message()));
    break;
  }
}

}  // namespace viewcount
