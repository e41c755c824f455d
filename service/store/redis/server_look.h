// Examines a Redis repeatedly while it is used, because its operators may change it under a running service.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "service/base/redis_waivers.h"
#include "service/store/redis/connection.h"

namespace viewcount {

struct ServerLook {
  // The result of CheckServer. If it is an error, nothing else was examined.
  absl::Status usable;
  // See PreflightResult::run_id.
  std::string run_id;
  // True if vc:meta does not name a data set any more.
  bool meta_lost = false;
  // The number of keys that this run of the server has evicted.
  uint64_t evicted_keys = 0;
  // See PreflightResult::warning.
  std::string warning;
};

// Examines the server once. Only reads, so that it works while Redis refuses writes. Errors are those of the
// connection, and errors that Redis answers instead of a result. Used on the connection's thread.
boost::asio::awaitable<absl::StatusOr<ServerLook>> LookAtServer(RedisConnection& connection, RedisWaivers waivers);

}  // namespace viewcount
