// A batch on its way through a lane, and what its sender is told.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "service/base/clock.h"
#include "service/ingest/views_request.h"

namespace viewcount {

// What RecordViewsResponse says.
struct IngestResult {
  uint64_t accepted_views = 0;
  bool duplicate = false;
  uint64_t last_sequence = 0;
  Durability durability = Durability::kUnspecified;
};

// Made by a transport, decoded and admitted by the Ingestor, then owned by its lane until Done is called: exactly once,
// from any thread, after which the lane does not touch it again.
class Batch {
 public:
  virtual ~Batch() = default;
  // Tells the sender. Must not block; may delete the batch.
  virtual void Done(const absl::Status& status, const IngestResult& result) = 0;

  // The request as it came; must stay valid until Done. `request` points into it.
  std::string_view bytes;
  ViewsRequest request;
  SiteIndex site;
  int64_t receipt_unix_ms = 0;
  SteadyTime receipt_time;
  // Of a batch from one browser: its viewer under the salt of the day before, so that a visit does not break at
  // midnight. 0: none.
  uint64_t previous_viewer = 0;
};

}  // namespace viewcount
