// Brings the journals of a data directory whose service will not start again into Redis: `viewcount journal drain`.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"

namespace viewcount {

struct DrainOptions {
  std::string data_dir;
  RedisAddress redis;
  RedisWaivers redis_waivers = {};
  // For lanes that were fenced: what this copy of them took itself, under a new identity.
  bool as_new = false;
};

// Blocks until all of it is in the store, then removes the lanes' folders; waits for a Redis that is away. May be
// broken off and begun again. No viewcountd may use the directory. Returns how many views it brought. Errors: what
// keeps a service from starting; ABORTED with reason FENCED; NOT_FOUND if there is no lane.
absl::StatusOr<uint64_t> DrainJournals(const DrainOptions& options);

}  // namespace viewcount
