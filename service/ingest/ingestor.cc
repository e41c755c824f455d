#include "service/ingest/ingestor.h"

#include "service/base/status.h"
#include "service/ingest/article_naming.h"
#include "service/model/decoder.h"
#include "service/model/lane_choice.h"

namespace viewcount {
namespace {

RejectReason ReasonOfRefusal(const Lane& lane, const absl::Status& status) {
  if (absl::IsUnavailable(status)) return RejectReason::kShuttingDown;
  return lane.journal_full() ? RejectReason::kJournalFull : RejectReason::kQueueFull;
}

}  // namespace

absl::Status Ingestor::Submit(Batch* batch) {
  RejectReason reason = RejectReason::kInvalid;
  absl::Status status = Admit(*batch, reason);
  // The count is read now, because the lane may delete the batch at any moment after Submit.
  const auto views = static_cast<double>(batch->request.view_count);
  Receive(views);
  if (status.ok()) {
    Lane& lane = LaneOf(*batch);
    status = lane.Submit(batch);
    if (!status.ok()) reason = ReasonOfRefusal(lane, status);
  }
  if (!status.ok()) metrics_.Rejected(reason).Increment(views);
  return status;
}

void Ingestor::Refuse(RejectReason reason, uint64_t views) {
  Receive(static_cast<double>(views));
  metrics_.Rejected(reason).Increment(static_cast<double>(views));
}

void Ingestor::Receive(double views) {
  metrics_.batches_received.Increment();
  metrics_.views_received.Increment(views);
  metrics_.batch_views.Observe(views);
}

absl::Status Ingestor::Admit(Batch& batch, RejectReason& reason) {
  batch.receipt_unix_ms = clock_.UnixMillis();
  batch.receipt_time = clock_.Now();
  absl::Status status = DecodeViewsRequest(batch.bytes, batch.receipt_unix_ms, batch.request);
  if (batch.request.has_address) status = AdmitAddresses(batch, reason);
  if (!status.ok()) return status;
  if (!batch.request.takeovers.empty()) {
    reason = RejectReason::kNotBuilt;
    return NotBuiltYet("a writer's takeover");
  }
  const auto site = sites_.Find(batch.request.site);
  if (site == nullptr) {
    reason = RejectReason::kUnknownSite;
    return sites_.Unknown(batch.request.site);
  }
  batch.site = site->index;
  return absl::OkStatus();
}

absl::Status Ingestor::AdmitAddresses(Batch& batch, RejectReason& reason) {
  v1::RecordViewsRequest named;
  if (!named.ParseFromArray(batch.bytes.data(), static_cast<int>(batch.bytes.size()))) {
    return InvalidField("request", "is not a viewcount.v1.RecordViewsRequest in Protobuf's wire format");
  }
  const auto site = sites_.Find(named.site());
  if (site == nullptr) {
    reason = RejectReason::kUnknownSite;
    return sites_.Unknown(named.site());
  }
  const auto naming = NameArticles(*site, named);
  if (!naming.ok()) return naming.status();
  batch.named_bytes = named.SerializeAsString();
  batch.bytes = batch.named_bytes;
  absl::Status status = DecodeViewsRequest(batch.bytes, batch.receipt_unix_ms, batch.request);
  if (status.ok() && naming->excluded_views > 0) {
    metrics_.views_received.Increment(static_cast<double>(naming->excluded_views));
    metrics_.Rejected(RejectReason::kExcludedPath).Increment(static_cast<double>(naming->excluded_views));
  }
  return status;
}

Lane& Ingestor::LaneOf(const Batch& batch) {
  if (lanes_.size() == 1) return *lanes_[0];
  // All batches of a writer go to the same lane, and therefore to the same dedupe table.
  if (!batch.request.writer.IsNone()) return *lanes_[LaneOfWriter(batch.request.writer, lanes_.size())];
  // All batches of a viewer go to the lane that knows its visit. `previous_viewer` comes first, as long as the visit
  // may have begun on the day before. All other batches may go to any lane.
  uint64_t viewer = batch.previous_viewer;
  if (viewer == 0 && !batch.request.views.empty()) viewer = batch.request.views.front().viewer;
  if (viewer != 0) return *lanes_[LaneOfViewer(viewer, lanes_.size())];
  return *lanes_[next_lane_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()];
}

}  // namespace viewcount
