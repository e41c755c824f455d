// Reads a lane's journal forward.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "service/base/disk.h"
#include "service/journal/record.h"

namespace viewcount {

// One thread. May read beside the writer what was durable when it was opened, while a pin holds the segments.
class JournalReader {
 public:
  // For the records with from < end <= to, and all those before them in their segment, so that what a segment begins
  // with comes first. OUT_OF_RANGE if the journal does not reach back to `from`. Other errors as JournalWriter::Open.
  static absl::StatusOr<JournalReader> Open(Disk& disk, const std::string& folder, LaneId lane, Position from,
                                            Position to);
  JournalReader(JournalReader&&) noexcept;
  ~JournalReader();

  // The next record, into `record`; false at `to`. DATA_LOSS names file and offset.
  absl::StatusOr<bool> Next(Record& record);

 private:
  class Impl;
  explicit JournalReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace viewcount
