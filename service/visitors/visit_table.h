// When a lane saw each viewer last, so that it knows whose view begins a visit.
#pragma once

#include <absl/status/status.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/limits.h"

namespace viewcount {

// A viewer of a site. Both numbers are hashes already.
struct VisitorKey {
  uint64_t site_seed = 0;
  uint64_t viewer = 0;
};

// Used by one lane's thread. Two generations: what was not seen for two pauses is forgotten with the older one.
// Bounded: with more viewers than `viewers_max` within a pause the generations change sooner, and some visits count
// twice.
class VisitTable {
 public:
  explicit VisitTable(size_t viewers_max = limits::kVisitorsPerLaneMax) : viewers_max_(viewers_max) {}

  // Whether a view at `unix_ms` begins a visit: the viewer was not seen within limits::kVisitPause of it. Remembers the
  // view. `previous` is the same viewer under yesterday's name, viewer 0 without one; `viewer.viewer` is not 0.
  bool Begins(VisitorKey viewer, VisitorKey previous, int64_t unix_ms);
  // Remembers a view on which it was decided before: what the journal holds.
  void Replay(VisitorKey viewer, int64_t unix_ms);

  // Viewers remembered.
  size_t size() const { return young_.size() + old_.size(); }

  // For a checkpoint: those whose visit may still go on. Takes some 10 ms for a million.
  std::string Serialize() const;
  // Adds what another table remembered. DATA_LOSS for text that no table wrote.
  absl::Status Merge(std::string_view text);

 private:
  // Seconds since 1970 by a hash of site and viewer.
  using Times = boost::unordered_flat_map<uint64_t, uint32_t>;

  // When the viewer was seen; 0 for never.
  uint32_t SeenAt(uint64_t key) const;
  // Returns when the viewer was seen before; 0 for never.
  uint32_t Note(uint64_t key, uint32_t seconds);

  const size_t viewers_max_;
  // Of the latest view; generations change when a pause has passed by this.
  uint32_t newest_ = 0;
  uint32_t changed_at_ = 0;
  Times young_;
  Times old_;
};

}  // namespace viewcount
