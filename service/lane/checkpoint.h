// Stores on disk what a lane remembers (writers, visits and cool-downs), so that older parts of the journal can be
// deleted. The file is <position, 20 digits>.writers in the lane's folder.
//
// The file covers everything up to the position in its name. Replaying the journal from that position brings the tables
// up to date. The file begins with magic, lane ID, position, CRC-32C of the bytes after the header, and the size of
// each table in bytes. The output of the three tables' Serialize follows.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

// The serialized tables of a lane at one position of its journal. A plain value.
struct Checkpoint {
  // The tables cover the journal up to here. 0 if there is no file, because no batch was taken before.
  Position position;
  std::string writers;
  std::string visits = {};
  std::string cool_downs = {};
};

// The two functions are thread-safe if no two calls concern the same folder. Their errors name the file.

// Writes the checkpoint durably, then removes older ones.
absl::Status WriteCheckpoint(Disk& disk, const std::string& folder, LaneId lane, const Checkpoint& checkpoint);
// Reads the newest checkpoint. Returns an empty one at position 0 if there is none. Returns FAILED_PRECONDITION if the
// newest one is broken or belongs to another lane.
absl::StatusOr<Checkpoint> ReadCheckpoint(Disk& disk, const std::string& folder, LaneId lane);

}  // namespace viewcount
