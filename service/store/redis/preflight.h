// The checks of a Redis that precede its first use.
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
  // Identifies this run of this server. If it changes, another server, or another run, answers.
  std::string run_id;
  // The number of keys that this run has evicted.
  uint64_t evicted_keys = 0;
  // True if the store was empty and a data set was begun now.
  bool begun = false;
  // A text that is worth a warning; empty if there is none.
  std::string warning;
};

// Checks the version, eviction policy, role, rights of `user` and data set over a new connection. If `expected` is
// none, any data set is accepted, and an empty store is begun with a new ID. Otherwise an empty store is begun with
// `expected`. Used on the connection's thread.
//
// Errors: UNAVAILABLE for a state that ends by itself (loading, a replica about to be promoted). FAILED_PRECONDITION
// for a state that an operator must change; the message is one line that says what to do. PERMISSION_DENIED if Redis
// refuses the credentials.
boost::asio::awaitable<absl::StatusOr<PreflightResult>> Preflight(RedisConnection& connection, DataSetId expected,
                                                                  std::string_view user, RedisWaivers waivers = {});

// Returns the number of evicted keys in Redis' answer to INFO; 0 if it is not there.
uint64_t EvictedKeysOf(std::string_view info);

// Checks everything that Redis' answer to INFO shows: version, mode, loading, role, eviction policy. Errors as above,
// with a reason: REDIS_LOADING, REDIS_READONLY for a replica, REDIS_EVICTING.
absl::Status CheckServer(std::string_view info);

// Returns a text about a problem with the persistence of this Redis; empty if there is none. `info` is its answer to
// INFO.
boost::asio::awaitable<std::string> PersistenceWarning(RedisConnection& connection, std::string_view info);

// Returns whether an error stays until an operator changes something, however long the caller waits.
bool IsRefusal(const absl::Status& status);

}  // namespace viewcount
