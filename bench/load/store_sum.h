// Reads the content of the store from Redis itself, without the service.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

namespace viewcount::bench {

// Makes the service at `grpc_address` write everything that it has counted to the store.
absl::Status FlushService(const std::string& grpc_address);

// Returns the views of all articles of `site` for all time: the sum of the shards' sums. `redis_url` has the format of
// ParseRedisAddress.
absl::StatusOr<int64_t> ReadStoreSum(const std::string& redis_url, const std::string& site);

}  // namespace viewcount::bench
