// Reads and writes the lines of JSON files with counts, and of snapshots.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "client/cli/counts_item.h"

namespace viewcount::cli {

// Parses one line. Errors name the field, or the column of a line that is no JSON. Unknown fields are errors. The line
// may be any bytes. Pure function; thread-safe.
absl::StatusOr<CountsItem> ParseCountsLine(std::string_view line, const CountsOptions& options);

// Each returns one line of a snapshot, with its line end. All texts must be UTF-8. Pure functions; thread-safe.
std::string HeadLine(const v1::Site& site, const google::protobuf::Timestamp& time);
std::string RowLine(const v1::CountRow& row);
std::string AliasLine(std::string_view from, std::string_view into);
std::string AnnouncedLine(const v1::Article& article);
std::string EndLine(const SnapshotEnd& end);

}  // namespace viewcount::cli
