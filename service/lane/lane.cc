#include "service/lane/lane.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

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

}  // namespace

Lane::Lane(std::unique_ptr<Journal> journal, Ledger& ledger, const Clock& clock, Metrics& metrics)
    : journal_(std::move(journal)), ledger_(ledger), clock_(clock), metrics_(metrics) {}

Lane::~Lane() { Stop(); }

void Lane::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Lane::Stop() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

absl::Status Lane::Submit(Batch* batch) {
  if (chunk_full_.load(std::memory_order_relaxed)) {
    // The flusher makes room; whoever asks again sees it.
    if (ledger_.totals().bytes >= limits::kChunkBytesMax) {
      return RetryLater(absl::StatusCode::kResourceExhausted,
                        "the store is away and as many views are pending as memory may hold", limits::kRetryDelay);
    }
    chunk_full_ = false;
  }
  switch (queue_.Put(batch)) {
    case BatchQueue::PutResult::kTaken:
      return absl::OkStatus();
    case BatchQueue::PutResult::kFull:
      return RetryLater(absl::StatusCode::kResourceExhausted, "the lane's queue is full", limits::kRetryDelay);
    case BatchQueue::PutResult::kClosed:
      break;
  }
  return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
}

void Lane::NotifyLargeChunk(std::function<void()> notify) {
  std::lock_guard lock(notify_mutex_);
  notify_large_chunk_ = std::move(notify);
}

void Lane::ApplySite(std::shared_ptr<const Site> site) { queue_.Put(std::move(site)); }

void Lane::Run() {
  std::vector<LaneItem> group;
  while (queue_.Take(group)) HandleGroup(group);
}

// Settings stand between batches, so a group is handled in runs of batches.
void Lane::HandleGroup(std::vector<LaneItem>& group) {
  const SteadyTime now = clock_.Now();
  size_t at = 0;
  while (at < group.size()) {
    outcomes_.clear();
    for (; at < group.size() && group[at].batch != nullptr; ++at) outcomes_.push_back(Take(*group[at].batch, now));
    if (auto status = journal_->Sync(); !status.ok()) {
      // What the disk holds is unknown now: nothing may be acknowledged any more (DESIGN.md section 5).
      spdlog::critical("the journal cannot be made durable: {}", ToStd(status.message()));
      std::_Exit(EXIT_FAILURE);
    }
    for (const Outcome& outcome : outcomes_) {
      if (outcome.position.value != 0) ledger_.Fold(*outcome.batch, outcome.position);
    }
    writers_count_.store(writers_.size(), std::memory_order_relaxed);
    WatchChunk();
    for (const Outcome& outcome : outcomes_) {
      Count(outcome);
      outcome.batch->Done(outcome.status, outcome.result);
    }
    for (; at < group.size() && group[at].batch == nullptr; ++at) ledger_.ApplySite(std::move(group[at].site));
  }
}

void Lane::WatchChunk() {
  const uint64_t bytes = ledger_.totals().bytes;
  if (bytes >= limits::kChunkBytesMax) chunk_full_ = true;
  if (bytes < limits::kChunkSealBytes) return;
  std::lock_guard lock(notify_mutex_);
  if (notify_large_chunk_) notify_large_chunk_();
}

Lane::Outcome Lane::Take(Batch& batch, SteadyTime now) {
  Outcome outcome{.batch = &batch};
  const ViewsRequest& request = batch.request;
  outcome.result.durability = journal_->durability();
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
  outcome.result.accepted_views = request.view_count;
  outcome.position = journal_->Append(batch.receipt_unix_ms, batch.bytes);
  return outcome;
}

void Lane::Count(const Outcome& outcome) {
  const ViewsRequest& request = outcome.batch->request;
  if (!outcome.status.ok()) {
    metrics_.Rejected(RejectReason::kSequence).Increment(static_cast<double>(request.view_count));
  } else if (outcome.result.duplicate) {
    metrics_.views_duplicate.Increment(static_cast<double>(request.view_count));
    metrics_.batches_duplicate.Increment();
  } else {
    metrics_.views_counted.Increment(static_cast<double>(request.view_count));
    uint64_t bot_views = 0;
    for (const DecodedView& view : request.views) bot_views += view.bot ? view.count : 0;
    if (bot_views > 0) metrics_.bot_views_counted.Increment(static_cast<double>(bot_views));
  }
}

}  // namespace viewcount
