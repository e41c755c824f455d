// What a process finds of its lane's journal when it starts.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "service/journal/format.h"

namespace viewcount {

// One file of the journal.
struct SegmentFile {
  Position start;
  // Of the file, used or not.
  uint64_t bytes = 0;
  // See SegmentHeader.
  uint32_t version = kJournalFormatVersion;
};

// A journal whose end is known and durable.
struct RecoveredJournal {
  // Rising; empty for a journal not yet begun.
  std::vector<SegmentFile> segments;
  // The newest segment's, and what is in it.
  std::unique_ptr<DiskFile> file;
  Position end;
  RecordMark last;
  // That nothing follows the end but proof that what is before it was durable.
  bool sealed = false;
};

// Checks that the segments in `folder` follow each other, finds the end, cuts off what a crash tore (and logs that),
// makes everything before durable, and allocates the newest segment to `segment_bytes` again. Errors as
// JournalWriter::Open.
absl::StatusOr<RecoveredJournal> RecoverJournal(Disk& disk, const std::string& folder, const LaneId& lane,
                                                uint64_t segment_bytes);

}  // namespace viewcount
