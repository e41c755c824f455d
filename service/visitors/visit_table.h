// When a lane saw each viewer last, so that it knows whose view begins a visit.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/limits.h"
#include "service/visitors/sighting_table.h"

namespace viewcount {

// A viewer of a site. Both numbers are hashes already.
struct VisitorKey {
  uint64_t site_seed = 0;
  uint64_t viewer = 0;
};

// Used by one lane's thread. Bounded: with more viewers than `viewers_max` within a pause some visits count twice.
class VisitTable {
 public:
  explicit VisitTable(size_t viewers_max = limits::kVisitorsPerLaneMax) : viewers_(viewers_max) {}

  // Whether a view at `unix_ms` begins a visit: the viewer was not seen within limits::kVisitPause of it. Remembers the
  // view. `previous` is the same viewer under yesterday's name, viewer 0 without one; `viewer.viewer` is not 0.
  bool Begins(VisitorKey viewer, VisitorKey previous, int64_t unix_ms, int64_t receipt_unix_ms);
  // Remembers a view on which it was decided before: what the journal holds.
  void Replay(VisitorKey viewer, int64_t unix_ms, int64_t receipt_unix_ms);
  // Forgets whose visits are over by then.
  void Forget(int64_t unix_ms);

  // Viewers remembered.
  size_t size() const { return viewers_.size(); }

  // For a checkpoint; see SightingTable.
  std::string Serialize() const { return viewers_.Serialize(); }
  absl::Status Merge(std::string_view text) { return viewers_.Merge(text); }

 private:
  SightingTable viewers_;
};

}  // namespace viewcount
