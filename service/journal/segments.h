// Names and checks the files of a journal: their paths, their headers, and whether one segment follows another. All
// functions are thread-safe, because they keep no state.
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

// Returns the path of the segment that begins at `start`.
std::string SegmentPath(const std::string& folder, Position start);
// Returns the path of a spare file, which a later segment will use.
std::string SparePath(const std::string& folder, uint64_t number);

// Returns where the segments in the folder begin, in rising order. Returns NOT_FOUND if there is no folder.
absl::StatusOr<std::vector<Position>> ListSegments(Disk& disk, const std::string& folder);

// Removes the spare files of an earlier process, because one of them may hold records for positions that will be
// written later.
absl::Status RemoveSpares(Disk& disk, const std::string& folder);

// Reads the header of the segment at `start`, which must belong to `lane`. Returns DATA_LOSS if the header is broken.
// Returns FAILED_PRECONDITION if the segment belongs to another lane, has a newer format or was written under another
// name.
absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start,
                                                const LaneId& lane);
// Does the same for a segment of any lane.
absl::StatusOr<SegmentHeader> ReadSegmentHeader(Disk& disk, const std::string& folder, Position start);

// Returns OK if the segment `next` was begun after the segment `previous`. Returns FAILED_PRECONDITION if a segment
// between them is missing, and DATA_LOSS if `previous` does not end as `next` says.
absl::Status CheckFollows(Disk& disk, const std::string& folder, const SegmentHeader& previous,
                          const SegmentHeader& next);

// Returns a DATA_LOSS error that names the file, the offset, what is wrong there, and the command that repairs it.
absl::Status BrokenJournal(const std::string& folder, Position segment, Position at, std::string_view what);

}  // namespace viewcount
