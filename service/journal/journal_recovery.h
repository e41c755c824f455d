// Recovers a lane's journal when a process starts.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "service/journal/format.h"

namespace viewcount {

// One segment file of the journal.
struct SegmentFile {
  Position start;
  // The size of the whole file in bytes, including its unused part.
  uint64_t bytes = 0;
  // See SegmentHeader.
  uint32_t version = kJournalFormatVersion;
};

// A journal whose end is known and durable.
struct RecoveredJournal {
  // In rising order; empty for a journal that has not begun yet.
  std::vector<SegmentFile> segments;
  // The file of the newest segment, the end of its records and the mark of the last one.
  std::unique_ptr<DiskFile> file;
  Position end;
  RecordMark last;
  // True if the last record is a commit record, which proves that everything before it was durable.
  bool sealed = false;
};

// Checks that the segments in `folder` follow each other and finds the journal's end. Cuts off a torn write of a crash,
// and logs that. Makes everything before the end durable, and allocates the newest segment to `segment_bytes` again.
// Returns the errors of JournalWriter::Open.
absl::StatusOr<RecoveredJournal> RecoverJournal(Disk& disk, const std::string& folder, const LaneId& lane,
                                                uint64_t segment_bytes);

}  // namespace viewcount
