// Folds again what the journal holds beyond the cursors of some shards: after a start, and when the store went back in
// time. The same records folded between the same positions give the same counts, so a chunk that is half applied can be
// gone on with.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/lane/ledger.h"
#include "service/lane/view_record.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// A chunk to fold: what (from, to] holds for the shards.
struct RefoldTarget {
  Position from;
  Position to;
  ShardSet shards;

  bool operator==(const RefoldTarget&) const = default;
};

// The chunks that lead each shard from its cursor to `end`, in order of their ends. A cursor in the middle of a chunk
// leads to that very chunk first. `cursors` counts for the shards of `shards` only; none may be beyond `end`.
std::vector<RefoldTarget> PlanRefold(ShardSet shards, const ShardCursors& cursors, Position end);

// Where a lane's journal is, and what reading it needs. What it refers to must outlive its use.
struct JournalSource {
  Disk& disk;
  std::string folder;
  LaneId lane;
  // Knows every site that the journal names.
  SiteDirectory& sites;
  const Clock& clock;
};

// Reads the journal once and folds every target. Blocks; thread safe. Errors: OUT_OF_RANGE if the journal does not
// reach back to the first one; DATA_LOSS for a broken record; FAILED_PRECONDITION if a position of a target is not one
// that this journal has.
absl::StatusOr<std::vector<SealedChunk>> Refold(const JournalSource& source, const std::vector<RefoldTarget>& targets);

// How many views behind `position` the shards have already whose cursors are in the middle of a chunk: those of
// articles that `cursors` cover. `position` is where a segment begins, and not behind such a chunk.
absl::StatusOr<ShardViews> CoveredBehind(const JournalSource& source, Position position, ShardSet shards,
                                         const ShardCursors& cursors);

// How many views of each shard this journal held before `position`, where one of its segments begins; `end` is the
// journal's.
absl::StatusOr<JournaledTotals> JournaledBefore(const JournalSource& source, Position position, Position end);

}  // namespace viewcount
