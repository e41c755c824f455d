// WatchCountsResponse as JSON by hand: at thousands of readers the library's way through reflection would be most of
// the work.
#pragma once

#include <string>

#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Appends the message in proto3's JSON mapping, fields with default values included, on one line.
void AppendJson(const v1::WatchCountsResponse& message, std::string& json);

}  // namespace viewcount
