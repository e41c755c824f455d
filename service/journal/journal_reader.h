// Reads a lane's journal forward.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "service/base/disk.h"
#include "service/journal/record.h"

namespace viewcount {

// Reads the records of a range of a journal. Not thread-safe. It may run beside the writer: it reads what was durable
// when it was opened, as long as a pin keeps the segments. `disk` must outlive the reader.
class JournalReader {
 public:
  // Opens the journal for the records with from < end <= to. All earlier records in the first segment are read too, so
  // that the records at the beginning of that segment come first. Returns OUT_OF_RANGE if the journal does not reach
  // back to `from`. Other errors are those of JournalWriter::Open.
  static absl::StatusOr<JournalReader> Open(Disk& disk, const std::string& folder, LaneId lane, Position from,
                                            Position to);
  JournalReader(JournalReader&&) noexcept;
  ~JournalReader();

  // Reads the next record into `record`. Returns false at `to`. A DATA_LOSS error names the file and the offset.
  absl::StatusOr<bool> Next(Record& record);

 private:
  class Impl;
  explicit JournalReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace viewcount
