// The files of a journal: their names, their headers, and whether they follow each other. Thread safe: nothing is kept.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/disk.h"
#include "service/journal/format.h"

namespace viewcount {

std::string SegmentPath(const std::string& folder, Position start);
// Of a file for a segment to come.
std::string SparePath(const std::string& folder, uint64_t number);

// Where the segments in the folder begin, rising. NOT_FOUND if there is no folder.
absl::StatusOr<std::vector<Position>> ListSegments(Disk& disk, const std::string& folder);

// Removes the spare files of an earlier process, because one of them may hold records for positions yet to be written.
absl::Status RemoveSpares(Disk& disk, const std::string& folder);

// The header of the segment at `start`, if it is `lane`'s. DATA_LOSS if broken; FAILED_PRECONDITION if another lane's
// or of a newer format.
absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start,
                                                const LaneId& lane);
// The same for a lane yet unknown.
absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start);

// Whether the segment with the header `next` was begun behind the one with the header `previous`. FAILED_PRECONDITION
// if one between them is missing; DATA_LOSS if `previous` does not end as `next` says.
absl::Status CheckFollows(Disk& disk, const std::string& folder, const SegmentHeader& previous,
                          const SegmentHeader& next);

// DATA_LOSS that names file, offset, what is wrong there, and the command that mends it.
absl::Status BrokenJournal(const std::string& folder, Position segment, Position at, std::string_view what);

}  // namespace viewcount
