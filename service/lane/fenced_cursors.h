// How far a lane that was fenced had brought its own views into the store: <lane's folder>/FENCED, a line `NN CURSOR`
// for each shard.
//
// From then on the store's cursor is that of whoever has the lane now; what this copy took itself and had not flushed
// lies beyond the cursors noted here (`viewcount journal drain --as-new`).
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "service/base/disk.h"
#include "service/lane/ledger.h"

namespace viewcount {

// Blocks. Logs an error. `unchecked` is that of the LaneDirectory: where it is given, the cursors of absent shards are
// not known, but everything beyond that position was taken here without the store and is in no store. Without it the
// cursor of every shard must be known, or nothing is noted.
void NoteFenced(Disk& disk, const std::string& folder, const Ledger& ledger, std::optional<Position> unchecked);

// NOT_FOUND if the lane was never fenced while it ran.
absl::StatusOr<ShardCursors> ReadFencedCursors(Disk& disk, const std::string& folder);

}  // namespace viewcount
