// What is checked of a Redis before anything is entrusted to it.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>

#include "service/base/identifiers.h"
#include "service/store/redis/connection.h"

namespace viewcount {

struct PreflightResult {
  DataSetId data_set;
  // The store was empty and was begun now.
  bool begun = false;
  // Worth a warning; empty if nothing is.
  std::string warning;
};

// Checks version, eviction, role and data set over a fresh connection. `expected` none: any data set will do, and an
// empty store is begun with a new one; else an empty store is begun with that ID.
//
// Errors: UNAVAILABLE for what passes by itself (loading, a replica about to be promoted); FAILED_PRECONDITION for what
// somebody must change, in one line that says what to do.
boost::asio::awaitable<absl::StatusOr<PreflightResult>> Preflight(RedisConnection& connection, DataSetId expected);

// Whether an error will not go away by waiting.
bool IsRefusal(const absl::Status& status);

}  // namespace viewcount
