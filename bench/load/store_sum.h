// What the store holds: Redis itself, asked without the service.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

namespace viewcount::bench {

// Has the service at `grpc_address` bring everything it took to the store.
absl::Status FlushService(const std::string& grpc_address);

// The views of all articles of `site`, all time: the sum of the shards' sums. `redis_url` as ParseRedisAddress reads
// it.
absl::StatusOr<int64_t> ReadStoreSum(const std::string& redis_url, const std::string& site);

}  // namespace viewcount::bench
