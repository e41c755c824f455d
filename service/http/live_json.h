// Writes WatchCountsResponse as JSON without the protobuf library. With thousands of readers, the library's reflection
// would dominate the work.
#pragma once

#include <string>

#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Appends the message to `json` in proto3's JSON mapping, including fields with default values. Only the fields about
// addresses are left out if they are empty. The text has one line.
void AppendJson(const v1::WatchCountsResponse& message, std::string& json);

}  // namespace viewcount
