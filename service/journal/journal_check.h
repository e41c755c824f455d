// Finds and repairs damage in a journal. It implements `viewcount journal verify` and `viewcount journal repair`.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

// Bytes that had been durable and no longer form records. At offset 0 they no longer form the segment's header.
struct JournalBreak {
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// The result of a check or a repair.
struct JournalReport {
  size_t segments = 0;
  // The number of whole records and their bytes. Records that repairs and seals wrote are not counted.
  uint64_t records = 0;
  uint64_t bytes = 0;
  // Where the journal begins and where it ends.
  Position begin;
  Position end;
  // The bytes that a crash left of a group that was never acknowledged. This is no damage: the next start removes them.
  uint64_t torn_bytes = 0;
  std::vector<JournalBreak> broken;
  // The bytes of records in `broken`. Headers do not count, because they are written again without loss.
  uint64_t lost_bytes = 0;
};

// Reads the whole journal in a lane's folder and changes nothing. The lane must be stopped. Returns FAILED_PRECONDITION
// for damage that cannot be repaired here: a missing segment, segments of several lanes, or a newer format. Other
// errors are those of the disk.
absl::StatusOr<JournalReport> VerifyJournal(Disk& disk, const std::string& folder);

// Does the same and repairs the damage. All whole records keep their positions, and a torn tail is cut off. The repair
// is durable on return. The report says what was found before the repair. An interrupted repair may be started again.
absl::StatusOr<JournalReport> RepairJournal(Disk& disk, const std::string& folder);

}  // namespace viewcount
