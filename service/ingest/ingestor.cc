#include "service/ingest/ingestor.h"

#include "service/base/status.h"
#include "service/ingest/decoder.h"

namespace viewcount {

absl::Status Ingestor::Submit(Batch* batch) {
  RejectReason reason = RejectReason::kInvalid;
  absl::Status status = Admit(*batch, reason);
  // Once a lane has it, the batch may be gone at any moment.
  const auto views = static_cast<double>(batch->request.view_count);
  metrics_.batches_received.Increment();
  metrics_.views_received.Increment(views);
  metrics_.batch_views.Observe(views);
  if (status.ok()) {
    status = LaneOf(batch->request.writer).Submit(batch);
    reason = absl::IsUnavailable(status) ? RejectReason::kShuttingDown : RejectReason::kQueueFull;
  }
  if (!status.ok()) metrics_.Rejected(reason).Increment(views);
  return status;
}

absl::Status Ingestor::Admit(Batch& batch, RejectReason& reason) {
  batch.receipt_unix_ms = clock_.UnixMillis();
  batch.receipt_time = clock_.Now();
  if (auto status = DecodeViewsRequest(batch.bytes, batch.receipt_unix_ms, batch.request); !status.ok()) return status;
  if (!batch.request.takeovers.empty()) {
    reason = RejectReason::kNotBuilt;
    return NotBuiltYet("a writer's takeover");
  }
  const auto site = sites_.Find(batch.request.site);
  if (site == nullptr) {
    reason = RejectReason::kUnknownSite;
    return UnknownSite(batch.request.site);
  }
  batch.site = site->index;
  return absl::OkStatus();
}

Lane& Ingestor::LaneOf(const WriterId& writer) {
  if (lanes_.size() == 1) return *lanes_[0];
  // A writer's batches always meet the same dedupe table; one without an ID may go anywhere.
  const size_t choice =
      writer.IsNone() ? next_lane_.fetch_add(1, std::memory_order_relaxed) : Id128Hash<WriterIdTag>()(writer);
  return *lanes_[choice % lanes_.size()];
}

}  // namespace viewcount
