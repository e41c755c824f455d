// Remembers when a lane last saw each viewer, which decides whether a view begins a visit.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/limits.h"
#include "service/visitors/last_seen_table.h"

namespace viewcount {

// A viewer of a site. Both numbers are hashes already.
struct VisitorKey {
  uint64_t site_seed = 0;
  uint64_t viewer = 0;
};

// The visits of one lane. Used by the lane thread only. Bounded: with more viewers than `viewers_max` within a pause,
// some visits are counted twice.
class VisitTable {
 public:
  explicit VisitTable(size_t viewers_max = limits::kVisitorsPerLaneMax) : viewers_(viewers_max) {}

  // Returns true if a view at `unix_ms` begins a visit, and remembers the view. It begins one if the viewer was not
  // seen within limits::kVisitPause of it. `previous` is the same viewer under the salt of the day before; its `viewer`
  // is 0 without one. `viewer.viewer` is not 0.
  bool RecordView(VisitorKey viewer, VisitorKey previous, int64_t unix_ms, int64_t receipt_unix_ms);
  // Remembers a view from the journal, which was decided before.
  void Replay(VisitorKey viewer, int64_t unix_ms, int64_t receipt_unix_ms);
  // Forgets the viewers whose visits are over at `unix_ms`.
  void Forget(int64_t unix_ms);

  // Returns the number of remembered viewers.
  size_t size() const { return viewers_.size(); }

  // These write and read a checkpoint; see LastSeenTable.
  std::string Serialize() const { return viewers_.Serialize(); }
  absl::Status Merge(std::string_view text) { return viewers_.Merge(text); }

 private:
  LastSeenTable viewers_;
};

}  // namespace viewcount
