// Admission of requests: decodes a request, checks its site, and passes it to the lane of its writer or its viewer.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <vector>

#include "service/base/clock.h"
#include "service/lane/lane.h"
#include "service/metrics/metrics.h"
#include "service/model/batch.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Admits batches and passes them to the lanes. Thread-safe. The objects that it refers to must outlive it.
class Ingestor {
 public:
  // Requires at least one lane.
  Ingestor(std::vector<Lane*> lanes, const SiteDirectory& sites, const Clock& clock, Metrics& metrics)
      : lanes_(std::move(lanes)), sites_(sites), clock_(clock), metrics_(metrics) {}

  // Takes a batch whose `bytes` are set. Addresses of views are replaced by article IDs, and views of excluded paths
  // are left out. On OK the batch's Done has been or will be called. On an error no view was counted, and Done is not
  // called. Errors: those of NameArticles, DecodeViewsRequest and Lane::Submit; NOT_FOUND for an unknown site;
  // UNIMPLEMENTED for takeovers.
  absl::Status Submit(Batch* batch);
  // Counts, in the metrics, views that a transport refused before there was a batch.
  void Refuse(RejectReason reason, uint64_t views);

 private:
  void Receive(double views);
  absl::Status Admit(Batch& batch, RejectReason& reason);
  // Replaces the addresses in the batch by article IDs, and decodes it again.
  absl::Status AdmitAddresses(Batch& batch, RejectReason& reason);
  Lane& LaneOf(const Batch& batch);

  const std::vector<Lane*> lanes_;
  const SiteDirectory& sites_;
  const Clock& clock_;
  Metrics& metrics_;
  std::atomic<uint32_t> next_lane_{0};
};

}  // namespace viewcount
