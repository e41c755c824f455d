// Folds again what the journal holds beyond the cursors of some shards. This is needed after a start, and when the
// store went back in time. Folding is deterministic: identical records between identical positions give identical
// counts, so a half-applied chunk can be continued.
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

// A chunk to fold: the views of the shards in the range (from, to].
struct RefoldTarget {
  Position from;
  Position to;
  ShardSet shards;

  bool operator==(const RefoldTarget&) const = default;
};

// Returns the chunks that lead each shard from its cursor to `end`, in order of their ends. For a cursor in the middle
// of a chunk, that same chunk comes first. `cursors` is read only for the shards in `shards`. None of these cursors may
// be beyond `end`.
std::vector<RefoldTarget> PlanRefold(ShardSet shards, const ShardCursors& cursors, Position end);

// Names a lane's journal and everything that reading it needs. The referenced objects must outlive it.
struct JournalSource {
  Disk& disk;
  std::string folder;
  LaneId lane;
  // The directory of sites. Reading adds the sites of the journal that it does not know.
  SiteDirectory& sites;
  const Clock& clock;
};

// Reads the journal once and folds every target. Blocks. Thread-safe. Returns OUT_OF_RANGE if the journal does not
// reach back to the first target, and DATA_LOSS for a broken record. Returns FAILED_PRECONDITION if a target begins or
// ends at a position where this journal has no record boundary.
absl::StatusOr<std::vector<SealedChunk>> Refold(const JournalSource& source, const std::vector<RefoldTarget>& targets);

// Returns, for shards whose cursors are in the middle of a chunk, how many views after `position` they already have.
// These are the views of articles that `cursors` cover. `position` must be the beginning of a segment, and must not be
// after such a chunk.
absl::StatusOr<ShardViews> CoveredBehind(const JournalSource& source, Position position, ShardSet shards,
                                         const ShardCursors& cursors);

// Returns how many views of each shard this journal held before `position`, which must be the beginning of a segment.
// `end` is the journal's end.
absl::StatusOr<JournaledTotals> JournaledBefore(const JournalSource& source, Position position, Position end);

}  // namespace viewcount
