// Compares points of a series with earlier ones. Pure functions; thread-safe.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>

#include "viewcount/v1/query.pb.h"

namespace viewcount::cli {

// Returns whether a point had ended at `as_of`. On a day of 25 hours it may be an hour early.
bool IsFinished(const v1::SeriesPoint& point, v1::SeriesStep step, const google::protobuf::Timestamp& as_of);

// Returns the change in percent, such as +12.5, with a percent sign if `sign`. Empty if there was nothing before.
std::string ChangeText(uint64_t views, uint64_t before, bool sign);

}  // namespace viewcount::cli
