// Recovers a lane from its folder: its journal, its dedupe table and the settings of its sites.
#pragma once

#include <absl/status/statusor.h>

#include <memory>

#include "service/journal/journal_writer.h"
#include "service/lane/ledger.h"
#include "service/lane/refold.h"
#include "service/lane/writer_table.h"
#include "service/visitors/cool_down_table.h"
#include "service/visitors/visit_table.h"

namespace viewcount {

// A lane as its process left it. Views that were not flushed are not folded yet, because that requires the store's
// cursors.
struct RecoveredLane {
  std::unique_ptr<JournalWriter> journal;
  WriterTable writers;
  VisitTable visits;
  CoolDownTable cool_downs;
  // The position of the checkpoint from which the tables were read.
  Position checkpoint;
  // The state for the ledger. All shards are absent in it.
  Ledger::Beginning beginning;
};

// Reads the lane in `source`. Blocks. An empty folder gives a new lane. `options` must name the same folder and lane as
// `source`. Returns the errors of JournalWriter::Open, ReadCheckpoint and Replay::Run.
absl::StatusOr<RecoveredLane> RecoverLane(const JournalSource& source, const JournalWriter::Options& options);

}  // namespace viewcount
