// What is checked of a Redis before anything is entrusted to it.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/base/redis_waivers.h"
#include "service/store/redis/connection.h"

namespace viewcount {

struct PreflightResult {
  DataSetId data_set;
  // Names this run of this server: another one answers when it changes.
  std::string run_id;
  // Keys that this run has evicted.
  uint64_t evicted_keys = 0;
  // The store was empty and was begun now.
  bool begun = false;
  // Worth a warning; empty if nothing is.
  std::string warning;
};

// Checks version, eviction, role, the rights of `user` and data set over a fresh connection. `expected` none: any data
// set will do, and an empty store is begun with a new one; else an empty store is begun with that ID.
//
// Errors: UNAVAILABLE for what passes by itself (loading, a replica about to be promoted); FAILED_PRECONDITION for what
// somebody must change, in one line that says what to do.
boost::asio::awaitable<absl::StatusOr<PreflightResult>> Preflight(RedisConnection& connection, DataSetId expected,
                                                                  std::string_view user, RedisWaivers waivers = {});

// The number of evicted keys in Redis' answer to INFO; 0 if it is not there.
uint64_t EvictedKeysOf(std::string_view info);

// The part that needs no more than Redis' answer to INFO: version, mode, loading, role, eviction. Errors as above, with
// a reason: REDIS_LOADING, REDIS_READONLY for a replica, REDIS_EVICTING.
absl::Status CheckServer(std::string_view info);

// Says what is wrong with the persistence of this Redis; empty if nothing is. `info` is its answer to INFO.
boost::asio::awaitable<std::string> PersistenceWarning(RedisConnection& connection, std::string_view info);

// Whether an error will not go away by waiting.
bool IsRefusal(const absl::Status& status);

}  // namespace viewcount
