// Implements `viewcount journal drain`: brings the journals of a data directory into Redis when its service will not
// start again.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"

namespace viewcount {

// The options of a drain.
struct DrainOptions {
  std::string data_dir;
  RedisAddress redis;
  RedisWaivers redis_waivers = {};
  // For fenced lanes: brings the views that only this copy of a lane took, under a new lane identity.
  bool as_new = false;
};

// Brings the journals' pending views into the store, then removes the lanes' folders. Blocks until all is done, and
// waits while Redis is unavailable. It may be interrupted and started again. No viewcountd may use the directory
// meanwhile.
//
// Returns the number of views that it brought into the store. Errors: those that keep a service from starting; ABORTED
// with reason FENCED; NOT_FOUND if there is no lane.
absl::StatusOr<uint64_t> DrainJournals(const DrainOptions& options);

}  // namespace viewcount
