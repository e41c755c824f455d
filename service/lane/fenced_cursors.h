// How far a lane that was fenced had brought its own views into the store: <lane's folder>/FENCED, a line `NN CURSOR`
// for each shard.
//
// From then on the store's cursor is that of whoever has the lane now; what this copy took itself and had not flushed
// lies beyond the cursors noted here (`viewcount journal drain --as-new`).
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/base/disk.h"
#include "service/lane/ledger.h"

namespace viewcount {

// Blocks. Logs an error.
void NoteFenced(Disk& disk, const std::string& folder, const Ledger& ledger);

// NOT_FOUND if the lane was never fenced while it ran.
absl::StatusOr<ShardCursors> ReadFencedCursors(Disk& disk, const std::string& folder);

}  // namespace viewcount
