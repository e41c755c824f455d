#include "service/lane/lane.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/planted_bug.h"
#include "service/base/scheduling.h"
#include "service/base/service_full.h"
#include "service/base/status.h"
#include "service/lane/view_record.h"

namespace viewcount {
namespace {

absl::Status SequenceGap(const ViewsRequest& request, uint64_t last_sequence) {
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition,
      fmt::format("sequence {} leaves a gap: {} is expected next", request.sequence, last_sequence + 1), "SEQUENCE_GAP",
      {{"expected_sequence", std::to_string(last_sequence + 1)}});
}

absl::Status UnknownWriter(const ViewsRequest& request) {
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition,
      fmt::format("sequence {} from a writer that is not known (any more); begin with sequence 1 as a "
                  "new writer",
                  request.sequence),
      "UNKNOWN_WRITER");
}

constexpr char kMemoryFull[] = "the store is away and as many views are pending as memory may hold";

}  // namespace

Lane::Lane(Dependencies parts)
    : parts_(std::move(parts)),
      ledger_(parts_.ledger),
      journal_(parts_.journal),
      metrics_(parts_.metrics),
      writers_(std::move(parts_.writers)),
      visits_(std::move(parts_.visits)),
      cool_downs_(std::move(parts_.cool_downs)),
      position_(parts_.journal.end()),
      writers_count_(writers_.size()),
      checkpointed_(parts_.checkpoint.value) {
  if (!parts_.failed) {
    parts_.failed = [](const absl::Status& status) {
      spdlog::critical("the journal cannot be made durable: {}", ToStd(status.message()));
      std::_Exit(EXIT_FAILURE);
    };
  }
  journal_.SetPreamble([this] { return Preamble(); });
}

Lane::~Lane() {
  Stop();
  journal_.SetPreamble(nullptr);
}

void Lane::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Lane::Stop() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
  stored_waiters_.Answer(ledger_.totals().flushed, SteadyTime::max());
}

absl::Status Lane::Submit(Batch* batch) {
  if (chunk_full_.load(std::memory_order_relaxed)) {
    // The flusher makes room. The next Submit after that sees it here.
    if (ledger_.totals().bytes >= limits::kChunkBytesMax) {
      return ServiceFull(kMemoryFull, kFullMemory, limits::kRetryDelay);
    }
    chunk_full_ = false;
  }
  if (journal_full_.load(std::memory_order_relaxed)) return JournalFull();
  const uint64_t views = batch->request.view_count;
  // Counted before the batch is queued: once the lane has it, it may be answered at any moment.
  {
    const MutexLock lock(counters_mutex_);
    counters_.received += views;
    counters_.waiting += views;
  }
  const BatchQueue::PutResult put = queue_.Put(batch);
  if (put == BatchQueue::PutResult::kTaken) return absl::OkStatus();
  {
    const MutexLock lock(counters_mutex_);
    counters_.received -= views;
    counters_.waiting -= views;
  }
  if (put == BatchQueue::PutResult::kFull) {
    return ServiceFull("the lane's queue is full", kFullQueue, limits::kRetryDelay);
  }
  return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
}

absl::Status Lane::Submit(std::shared_ptr<SubmittedAdjustment> adjustment) {
  if (queue_.Put(std::move(adjustment)) == BatchQueue::PutResult::kTaken) return absl::OkStatus();
  return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
}

void Lane::NotifyFlusher(std::function<void()> notify) {
  const MutexLock lock(notify_mutex_);
  notify_flusher_ = std::move(notify);
}

void Lane::Notify() {
  const MutexLock lock(notify_mutex_);
  if (notify_flusher_) notify_flusher_();
}

void Lane::AnswerStored() { stored_waiters_.Answer(ledger_.totals().flushed, parts_.clock.Now()); }

void Lane::ApplySite(std::shared_ptr<const Site> site) { queue_.Put(std::move(site)); }

Lane::Counters Lane::counters() const {
  const MutexLock lock(counters_mutex_);
  return counters_;
}

void Lane::Run() {
  AskForSlice(kLaneSlice);
  while (queue_.Take(group_)) {
    CountStep();
    HandleGroup(group_);
    CountStep();
  }
}

bool Lane::Step() {
  if (!queue_.TryTake(group_)) return false;
  HandleGroup(group_);
  return true;
}

// Settings and adjustments lie between batches, so a group is handled in runs of batches.
void Lane::HandleGroup(std::vector<LaneItem>& group) {
  std::span<LaneItem> rest(group);
  while (!rest.empty()) {
    size_t batches = 0;
    while (batches < rest.size() && rest[batches].batch != nullptr) ++batches;
    if (batches > 0) {
      HandleBatches(rest.first(batches));
    } else {
      if (rest.front().site != nullptr) HandleSite(std::move(rest.front().site));
      if (rest.front().adjustment != nullptr) HandleAdjustment(*rest.front().adjustment);
      batches = 1;
    }
    rest = rest.subspan(batches);
  }
  // No batch waits now, so there is time to mark the group as durable.
  if (queue_.bytes() == 0) journal_.WriteCommitMarker();
}

// Keeps the order: a later change of a site must not overtake an earlier one that found no room.
void Lane::HandleSite(std::shared_ptr<const Site> site) {
  if (Planted(PlantedBug::kSettingsOutOfOrder) && WriteSite(site)) return;
  unwritten_sites_.push_back(std::move(site));
  WriteSites();
}

bool Lane::WriteSites() {
  size_t written = 0;
  while (written < unwritten_sites_.size() && WriteSite(unwritten_sites_[written])) ++written;
  unwritten_sites_.erase(unwritten_sites_.begin(), unwritten_sites_.begin() + static_cast<std::ptrdiff_t>(written));
  // Batches are refused as long as settings wait.
  if (!unwritten_sites_.empty()) journal_full_ = true;
  return unwritten_sites_.empty();
}

bool Lane::WriteSite(const std::shared_ptr<const Site>& site) {
  const auto known = ledger_.FindSite(site->index);
  const std::string payload = EncodeSite(*site);
  if (known != nullptr && EncodeSite(*known) == payload) return true;
  if (!Begin(1, payload.size())) return false;
  Append(RecordType::kSite, payload);
  Commit();
  ledger_.ApplySite(site);
  ledger_.MarkDurable(position_);
  return true;
}

void Lane::HandleAdjustment(const SubmittedAdjustment& submitted) {
  const std::string payload = EncodeAdjustment(submitted.adjustment);
  if (!WriteSites() || !Begin(1, payload.size())) {
    submitted.done(JournalFull());
    return;
  }
  // The room is there, so a part that is remembered is also journaled.
  if (submitted.adjustment.message.has_import()) {
    if (const auto status = TakePart(submitted.adjustment.message); !status.ok()) {
      submitted.done(status);
      return;
    }
  }
  Append(RecordType::kAdjustment, payload);
  Commit();
  ledger_.Fold(submitted.site, submitted.adjustment, parts_.clock.Now());
  ledger_.MarkDurable(position_);
  WatchChunk();
  submitted.done(absl::OkStatus());
}

absl::Status Lane::TakePart(const journal::v1::Adjustment& message) {
  const ViewsRequest request = WriterOf(message);
  const WriterTable::Decision decision = writers_.Take(request, parts_.clock.Now());
  writers_count_.store(writers_.size(), std::memory_order_relaxed);
  switch (decision.verdict) {
    case WriterTable::Verdict::kNew:
      return absl::OkStatus();
    case WriterTable::Verdict::kDuplicate:
      // Adjustments are made durable one by one, so the original is durable.
      return ErrorWithReason(absl::StatusCode::kAlreadyExists, "this part of the import was taken before",
                             "DUPLICATE_SEQUENCE", {{"last_sequence", std::to_string(decision.last_sequence)}});
    case WriterTable::Verdict::kGap:
      return SequenceGap(request, decision.last_sequence);
    case WriterTable::Verdict::kUnknown:
      return UnknownWriter(request);
  }
  VIEWCOUNT_CHECK(false);
}

void Lane::Append(RecordType type, std::string_view head, std::string_view body, JournalWriter::Body kind) {
  const Position end = journal_.Append(type, head, body, kind);
  // Cursors compare positions, so a record must lie after everything before it.
  VIEWCOUNT_CHECK(position_ < end);
  position_ = end;
}

bool Lane::Begin(size_t records, size_t bytes) {
  const absl::Status status = journal_.Begin(records, bytes);
  if (status.ok()) return true;
  if (!absl::IsResourceExhausted(status)) parts_.failed(status);
  const MutexLock lock(full_mutex_);
  full_ = status;
  return false;
}

absl::Status Lane::JournalFull() const {
  std::string full;
  {
    const MutexLock lock(full_mutex_);
    full = FullOf(full_);
  }
  // The details are left out: they name folders, and browsers receive this text.
  return ServiceFull(fmt::format("the journal has no room: its {} is full", full), full, limits::kRetryDelay);
}

std::optional<std::string> Lane::refusal() const {
  if (journal_full()) {
    const MutexLock lock(full_mutex_);
    return fmt::format("the journal's {} is full: {}", FullOf(full_), ToStd(full_.message()));
  }
  if (chunk_full_.load(std::memory_order_relaxed) && ledger_.totals().bytes >= limits::kChunkBytesMax)
    return kMemoryFull;
  return std::nullopt;
}

bool Lane::MakeRoom(std::span<LaneItem> items) {
  size_t bytes = 0;
  for (const LaneItem& item : items) {
    bytes += ViewsHead::BytesMax(item.batch->request.views.size()) + item.batch->bytes.size();
  }
  return WriteSites() && Begin(items.size(), bytes);
}

void Lane::HandleBatches(std::span<LaneItem> items) {
  const SteadyTime now = parts_.clock.Now();
  outcomes_.clear();
  const bool room = MakeRoom(items);
  journal_full_ = !room;
  bool journaled = false;
  for (const LaneItem& item : items) {
    if (!room) {
      outcomes_.push_back({.batch = item.batch, .status = JournalFull()});
      continue;
    }
    outcomes_.push_back(Take(*item.batch, now));
    journaled = journaled || outcomes_.back().journaled;
  }
  VIEWCOUNT_CHECK(outcomes_.size() == items.size());
  // Batches with DURABILITY_MEMORY are answered here and do not wait for the disk.
  for (Outcome& outcome : outcomes_) {
    if (Planted(PlantedBug::kAcknowledgeDuplicateEarly) && outcome.result.duplicate) {
      Count(outcome);
      outcome.answered = true;
      outcome.batch->Done(outcome.status, outcome.result);
      continue;
    }
    if (Planted(PlantedBug::kAcknowledgeEarly) && outcome.journaled) {
      ledger_.Fold(*outcome.batch);
      Count(outcome);
      outcome.answered = true;
      outcome.batch->Done(outcome.status, outcome.result);
      continue;
    }
    if (!outcome.journaled || outcome.batch->request.durability != Durability::kMemory) continue;
    ledger_.Fold(*outcome.batch);
    Count(outcome);
    outcome.result.durability = Durability::kMemory;
    outcome.answered = true;
    outcome.batch->Done(outcome.status, outcome.result);
  }
  if (journaled) Commit();
  for (const Outcome& outcome : outcomes_) {
    if (outcome.journaled && !outcome.answered) ledger_.Fold(*outcome.batch);
  }
  if (journaled) {
    ledger_.MarkDurable(position_);
    // The open chunk and the journal must end at the same place, or a later refold would count other views.
    VIEWCOUNT_CHECK(ledger_.totals().position == position_);
  }
  writers_count_.store(writers_.size(), std::memory_order_relaxed);
  WatchChunk();
  Acknowledge(outcomes_);
}

Lane::Outcome Lane::Take(Batch& batch, SteadyTime now) {
  Outcome outcome{.batch = &batch};
  const ViewsRequest& request = batch.request;
  outcome.result.durability = Durability::kJournaled;
  if (!request.writer.IsNone()) {
    const WriterTable::Decision decision = writers_.Take(request, now);
    outcome.result.last_sequence = decision.last_sequence;
    switch (decision.verdict) {
      case WriterTable::Verdict::kNew:
        break;
      case WriterTable::Verdict::kDuplicate:
        outcome.result.duplicate = true;
        return outcome;
      case WriterTable::Verdict::kGap:
        outcome.status = SequenceGap(request, decision.last_sequence);
        return outcome;
      case WriterTable::Verdict::kUnknown:
        outcome.status = UnknownWriter(request);
        return outcome;
    }
  }
  visit_bits_.clear();
  cool_down_bits_.clear();
  outcome.result.accepted_views = request.known_viewers > 0 ? Decide(batch) : request.view_count;
  outcome.journaled = true;
  ViewsHead{.receipt_unix_ms = batch.receipt_unix_ms, .visits = visit_bits_, .cool_downs = cool_down_bits_}.EncodeTo(
      head_);
  // Batches with DURABILITY_MEMORY are answered before the commit and take their bytes with them, so the journal must
  // copy those bytes.
  const bool stays = request.durability != Durability::kMemory && !Planted(PlantedBug::kAcknowledgeEarly);
  Append(RecordType::kViews, head_, batch.bytes, stays ? JournalWriter::Body::kBorrow : JournalWriter::Body::kCopy);
  return outcome;
}

// Visits and cool-downs are decided once and journaled, since folding the batch again must give the same counts. A view
// within a cool-down does not count, but it is still part of its visit.
uint64_t Lane::Decide(Batch& batch) {
  const auto site = ledger_.FindSite(batch.site);
  const auto cool_down = site->settings.cool_down;
  uint64_t left_out = 0;
  for (DecodedView& view : batch.request.views) {
    if (!view.by_known_viewer()) continue;
    view.begins_visit = visits_.RecordView({site->seed, view.viewer}, {site->seed, batch.previous_viewer},
                                           view.event_time_unix_ms, batch.receipt_unix_ms);
    if (cool_down.count() == 0) continue;
    const uint64_t article = ArticleHash(site->seed, site->Resolve(view.article_id));
    const bool takes = cool_downs_.TryCountView(article, view.viewer, batch.previous_viewer, view.event_time_unix_ms,
                                                batch.receipt_unix_ms, cool_down);
    left_out += view.count - (takes ? 1 : 0);
    view.count = takes ? 1 : 0;
  }
  VIEWCOUNT_CHECK(left_out <= batch.request.view_count);
  EncodeVisits(batch.request.views, visit_bits_);
  if (left_out > 0) EncodeCoolDowns(batch.request.views, cool_down_bits_);
  return batch.request.view_count - left_out;
}

Checkpoint Lane::MakeCheckpoint() {
  // Drops expired entries, including those that no later view would remove. Such entries remain when a site's cool-down
  // is switched off.
  const int64_t now = parts_.clock.UnixMillis();
  visits_.Forget(now);
  cool_downs_.Forget(now);
  return {.position = position_,
          .writers = writers_.Serialize(parts_.clock.Now()),
          .visits = visits_.Serialize(),
          .cool_downs = cool_downs_.Serialize()};
}

void Lane::Commit() {
  const SteadyTime began = parts_.clock.Now();
  if (auto status = journal_.Commit(); !status.ok()) {
    // The content of the disk is unknown now, so no batch may be acknowledged any more (docs/PROTOCOL.md,
    // "Journal").
    parts_.failed(status);
  }
  // Everything that is acknowledged from here on must be within the durable part of the journal.
  VIEWCOUNT_CHECK(journal_.end() == position_);
  metrics_.journal_sync_seconds.Observe(std::chrono::duration<double>(parts_.clock.Now() - began).count());
}

void Lane::Acknowledge(std::vector<Outcome>& outcomes) {
  bool kick = false;
  const SteadyTime deadline = parts_.clock.Now() + limits::kStoredWait;
  for (Outcome& outcome : outcomes) {
    if (outcome.answered) continue;
    // Only what was journaled, now or by an earlier try, is acknowledged.
    VIEWCOUNT_CHECK(outcome.journaled || outcome.result.duplicate || !outcome.status.ok());
    Count(outcome);
    const bool wait = outcome.status.ok() && outcome.batch->request.durability == Durability::kStored;
    if (wait && stored_waiters_.Add(outcome.batch, outcome.result, position_, deadline)) {
      kick = true;
      continue;
    }
    outcome.batch->Done(outcome.status, outcome.result);
  }
  if (!kick) return;
  Notify();
  // The positions that they wait for may already be in the store.
  AnswerStored();
}

void Lane::WatchChunk() {
  const uint64_t bytes = ledger_.totals().bytes;
  if (bytes >= limits::kChunkBytesMax) chunk_full_ = true;
  if (bytes >= limits::kChunkSealBytes) Notify();
}

void Lane::Count(const Outcome& outcome) {
  const ViewsRequest& request = outcome.batch->request;
  const auto views = static_cast<double>(request.view_count);
  const MutexLock lock(counters_mutex_);
  counters_.waiting -= request.view_count;
  if (absl::IsResourceExhausted(outcome.status)) {
    counters_.rejected += request.view_count;
    metrics_.Rejected(RejectReason::kJournalFull).Increment(views);
  } else if (!outcome.status.ok()) {
    counters_.rejected += request.view_count;
    metrics_.Rejected(RejectReason::kSequence).Increment(views);
  } else if (outcome.result.duplicate) {
    counters_.duplicate += request.view_count;
    metrics_.views_duplicate.Increment(views);
    metrics_.batches_duplicate.Increment();
  } else {
    const uint64_t counted = outcome.result.accepted_views;
    const uint64_t too_soon = request.view_count - counted;
    counters_.counted += counted;
    counters_.rejected += too_soon;
    metrics_.views_counted.Increment(static_cast<double>(counted));
    if (too_soon > 0) metrics_.Rejected(RejectReason::kCoolDown).Increment(static_cast<double>(too_soon));
    if (request.bot_view_count > 0) {
      metrics_.bot_views_counted.Increment(static_cast<double>(request.bot_view_count));
    }
  }
}

// A segment begins with everything that folding its records needs, and with the number of views before it. All earlier
// groups are folded by now, and the dedupe table covers them.
std::vector<RecordDraft> Lane::Preamble() {
  {
    const MutexLock lock(checkpoint_mutex_);
    due_checkpoint_ = MakeCheckpoint();
    if (Planted(PlantedBug::kCheckpointAhead)) due_checkpoint_->position.value += 1'500;
  }
  std::vector<RecordDraft> drafts = {
      {RecordType::kTotals, EncodeTotals({parts_.clock.UnixMillis(), ledger_.journaled()})}};
  for (const auto& site : ledger_.sites()) drafts.push_back({RecordType::kSite, EncodeSite(*site)});
  return drafts;
}

void Lane::Maintain() {
  std::optional<Checkpoint> due;
  {
    const MutexLock lock(checkpoint_mutex_);
    due = std::exchange(due_checkpoint_, std::nullopt);
  }
  if (due && due->position.value > checkpointed_) {
    const auto status = WriteCheckpoint(parts_.disk, parts_.folder, ledger_.lane(), *due);
    if (status.ok()) {
      checkpointed_ = due->position.value;
      checkpoint_lines_.Reset();
    } else {
      if (checkpoint_lines_.Take(parts_.clock.Now())) {
        spdlog::warn("a checkpoint of the writers was not written; the journal is kept instead: {}",
                     ToStd(status.message()));
      }
      const MutexLock lock(checkpoint_mutex_);
      if (!due_checkpoint_) due_checkpoint_ = std::move(due);
    }
  }
  const Position needed = std::min(ledger_.totals().flushed, Position{checkpointed_.load()});
  if (const auto status = journal_.Maintain(needed); status.ok()) {
    journal_full_ = false;
    upkeep_lines_.Reset();
  } else if (!absl::IsResourceExhausted(status) && upkeep_lines_.Take(parts_.clock.Now())) {
    spdlog::error("upkeep of the journal failed: {}", ToStd(status.message()));
  }
  AnswerStored();
}

absl::Status Lane::WriteCheckpointNow() {
  const Checkpoint checkpoint = MakeCheckpoint();
  auto status = WriteCheckpoint(parts_.disk, parts_.folder, ledger_.lane(), checkpoint);
  if (status.ok()) checkpointed_ = checkpoint.position.value;
  return status;
}

}  // namespace viewcount
