// What is broken in a journal, and mending it: `viewcount journal verify` and `viewcount journal repair`.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

// Bytes that had been durable and no longer make records, or no longer a segment's header (offset 0).
struct JournalBreak {
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct JournalReport {
  size_t segments = 0;
  // Whole ones, and their bytes; without those that repairs and seals left.
  uint64_t records = 0;
  uint64_t bytes = 0;
  // Where the journal begins and ends.
  Position begin;
  Position end;
  // What a crash left of a group that was never acknowledged. No damage: the next start cuts it off.
  uint64_t torn_bytes = 0;
  std::vector<JournalBreak> broken;
  // Of records, in `broken`. Headers are written anew without a loss.
  uint64_t lost_bytes = 0;
};

// Reads the whole journal in a lane's folder, whose lane must be stopped; changes nothing. Errors: FAILED_PRECONDITION
// for what nothing here can mend: a missing segment, a mix of lanes, a newer format; and the disk's.
absl::StatusOr<JournalReport> VerifyJournal(Disk& disk, const std::string& folder);

// The same, and mends what is broken so that all whole records keep their positions; a torn tail is cut off. Durable on
// return. Tells what was found before. A repair that was broken off may be begun again.
absl::StatusOr<JournalReport> RepairJournal(Disk& disk, const std::string& folder);

}  // namespace viewcount
