// A batch of views on its way through a lane, and the answer for its sender.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/clock.h"
#include "service/model/views_request.h"

namespace viewcount {

// The result of an accepted batch: the content of RecordViewsResponse.
struct IngestResult {
  uint64_t accepted_views = 0;
  bool duplicate = false;
  uint64_t last_sequence = 0;
  Durability durability = Durability::kUnspecified;
};

// A batch of views. A transport creates it, the Ingestor decodes and admits it, and then its lane owns it until the
// lane calls Done. The lane calls Done exactly once, from any thread, and does not access the batch afterwards.
class Batch {
 public:
  virtual ~Batch() = default;
  // Reports the result to the sender. Must not block. May delete the batch.
  virtual void Done(const absl::Status& status, const IngestResult& result) = 0;

  // The bytes of the request as received. They must stay valid until Done, because `request` points into them.
  std::string_view bytes;
  // The request's bytes with article IDs in place of addresses, if it had addresses. Then `bytes` refers to them.
  std::string named_bytes;
  ViewsRequest request;
  SiteIndex site;
  int64_t receipt_unix_ms = 0;
  SteadyTime receipt_time;
  // The viewer's hash under the salt of the day before, in a batch from one browser. It keeps a visit from being split
  // at midnight. 0 means none.
  uint64_t previous_viewer = 0;
};

}  // namespace viewcount
