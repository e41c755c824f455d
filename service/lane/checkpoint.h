// What a lane remembers, on disk, so that the journal before it can go: <position, 20 digits>.writers in the lane's
// folder.
//
// The file stands for everything up to the position in its name; the journal behind it brings the tables up to date. It
// holds: magic, lane ID, position, CRC-32C of what stands behind the header, how many bytes each table has, and what
// Serialize of the three gives.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

struct Checkpoint {
  // 0 without a file: nothing was taken before.
  Position position;
  std::string writers;
  std::string visits = {};
  std::string cool_downs = {};
};

// Thread safe as long as no two calls are about the same folder. Errors name the file.

// Makes it last, then removes older ones.
absl::Status WriteCheckpoint(Disk& disk, const std::string& folder, LaneId lane, const Checkpoint& checkpoint);
// The newest one; an empty one at position 0 if there is none. FAILED_PRECONDITION if the newest is broken or another
// lane's.
absl::StatusOr<Checkpoint> ReadCheckpoint(Disk& disk, const std::string& folder, LaneId lane);

}  // namespace viewcount
