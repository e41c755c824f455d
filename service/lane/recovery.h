// Brings a lane back from its folder: journal, dedupe table, settings.
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

// A lane as its process left it. What was not flushed is not folded yet: that takes the store's cursors.
struct RecoveredLane {
  std::unique_ptr<JournalWriter> journal;
  WriterTable writers;
  VisitTable visits;
  CoolDownTable cool_downs;
  // Of the checkpoint that these began with.
  Position checkpoint;
  // All shards are absent.
  Ledger::Beginning beginning;
};

// Blocks. An empty folder gives a new lane. `options` say folder and lane as `source` does. Errors: those of
// JournalWriter::Open, ReadCheckpoint and Replay::Run.
absl::StatusOr<RecoveredLane> RecoverLane(const JournalSource& source, const JournalWriter::Options& options);

}  // namespace viewcount
