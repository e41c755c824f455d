// When a lane last counted each viewer's view of each article, so that it knows whose further views are too soon.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/limits.h"
#include "service/visitors/sighting_table.h"

namespace viewcount {

// Used by one lane's thread. Bounded: at least the `pairs_max` / 2 pairs of viewer and article counted last are known;
// others may count again before their cool-down's end, so a busy site's pairs may push out another's.
class CoolDownTable {
 public:
  using Seconds = SightingTable::Seconds;

  explicit CoolDownTable(size_t pairs_max = limits::kCoolDownsPerLaneMax) : pairs_(pairs_max) {}

  // Whether a view at `unix_ms` counts: no other one of the viewer and the article was counted less than `cool_down`
  // from it. Remembers one that counts. `article` is its hash, which differs between sites; `viewer` is not 0;
  // `previous_viewer` is the same one under yesterday's name, 0 without one.
  bool Takes(uint64_t article, uint64_t viewer, uint64_t previous_viewer, int64_t unix_ms, int64_t receipt_unix_ms,
             Seconds cool_down);
  // Remembers a view that was counted: what the journal holds.
  void Replay(uint64_t article, uint64_t viewer, int64_t unix_ms, int64_t receipt_unix_ms, Seconds cool_down);
  // Forgets whose cool-downs are over by then.
  void Forget(int64_t unix_ms);

  // Pairs remembered.
  size_t size() const { return pairs_.size(); }
  // Approximate memory they take.
  size_t bytes() const { return pairs_.bytes(); }

  // For a checkpoint; see SightingTable.
  std::string Serialize() const { return pairs_.Serialize(); }
  absl::Status Merge(std::string_view text) { return pairs_.Merge(text); }

 private:
  SightingTable pairs_;
};

}  // namespace viewcount
