// Remembers when a lane last counted each viewer's view of each article, which decides whether a further view is too
// soon.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/limits.h"
#include "service/visitors/last_seen_table.h"

namespace viewcount {

// The cool-downs of one lane. Used by the lane thread only. Bounded: it knows at least the last `pairs_max` / 2 counted
// pairs of viewer and article. Other pairs may be counted again before their cool-down ends. So the pairs of a busy
// site may displace those of another site.
class CoolDownTable {
 public:
  using Seconds = LastSeenTable::Seconds;

  explicit CoolDownTable(size_t pairs_max = limits::kCoolDownsPerLaneMax) : pairs_(pairs_max) {}

  // Returns true if a view at `unix_ms` counts. It counts if no other view by this viewer of this article was counted
  // at a distance of less than `cool_down`. A view that counts is remembered.
  //
  // `article` is the article's hash, which differs between sites. `viewer` is not 0. `previous_viewer` is the same
  // viewer's hash under the salt of the day before, or 0 without one.
  bool TryCountView(uint64_t article, uint64_t viewer, uint64_t previous_viewer, int64_t unix_ms,
                    int64_t receipt_unix_ms, Seconds cool_down);
  // Remembers a view that the journal holds as counted.
  void Replay(uint64_t article, uint64_t viewer, int64_t unix_ms, int64_t receipt_unix_ms, Seconds cool_down);
  // Forgets the pairs whose cool-downs are over at `unix_ms`.
  void Forget(int64_t unix_ms);

  // Returns the number of remembered pairs.
  size_t size() const { return pairs_.size(); }
  // Returns the approximate memory of the pairs, in bytes.
  size_t bytes() const { return pairs_.bytes(); }

  // These write and read a checkpoint; see LastSeenTable.
  std::string Serialize() const { return pairs_.Serialize(); }
  absl::Status Merge(std::string_view text) { return pairs_.Merge(text); }

 private:
  LastSeenTable pairs_;
};

}  // namespace viewcount
