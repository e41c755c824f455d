// Records how far a fenced lane had brought its own views into the store. The file is <lane's folder>/FENCED, with a
// line `NN CURSOR` for each shard.
//
// After the fencing the store's cursor belongs to the process that has the lane now. Views that this copy took and had
// not flushed lie beyond the cursors in the file (`viewcount journal drain --as-new`).
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "service/base/disk.h"
#include "service/lane/ledger.h"

namespace viewcount {

// Writes the cursors durably. Blocks. An error is logged. `unchecked` is the position from LaneDirectory::unchecked().
// If it is given, the cursors of absent shards are not known, but everything beyond it was taken here and is in no
// store. If it is not given, the cursor of every shard must be known; otherwise nothing is written.
void NoteFenced(Disk& disk, const std::string& folder, const Ledger& ledger, std::optional<Position> unchecked);

// Reads the cursors. Returns NOT_FOUND if the lane was never fenced while it ran, and DATA_LOSS for a broken file.
absl::StatusOr<ShardCursors> ReadFencedCursors(Disk& disk, const std::string& folder);

}  // namespace viewcount
