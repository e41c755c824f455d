// How far a lane has got in a shard, and the sums of what it brought there. docs/PROTOCOL.md states the protocol.
#pragma once

#include <cstdint>
#include <optional>

#include "service/base/identifiers.h"
#include "service/model/cursor.h"

namespace viewcount {

// The entry of a lane in a shard: the incarnation that claimed the shard, and the progress of the lane there.
struct LaneEntry {
  Incarnation incarnation;
  Cursor cursor;
};

// Sums up the outcome of everything that a lane ever brought to one shard. It is stored next to the cursor and changed
// in the same step. Therefore the following holds in a shard, added up over all sites and over all lanes, the retired
// ones included:
//
//   sums of `all` and `bots` = views − set_aside + adjusted
struct LaneTotals {
  // People's and bots' views of all time, including those that were set aside.
  uint64_t views = 0;
  // The part of `views` that was left out of the counts: see Quarantined.
  uint64_t set_aside = 0;
  // The change that administrators' adjustments made to the sums of all time.
  int64_t adjusted = 0;
  // Views that were given up: see Part::lost.
  uint64_t lost = 0;

  bool operator==(const LaneTotals&) const = default;
};

// The result of a claim.
struct Claimed {
  // END 0 for a lane that the shard did not know.
  Cursor cursor;
  LaneTotals totals;
  bool known = false;
};

// A lane's entry and its totals. There is no entry if the shard does not know the lane.
struct StoredLane {
  std::optional<LaneEntry> entry;
  LaneTotals totals;
};

}  // namespace viewcount
