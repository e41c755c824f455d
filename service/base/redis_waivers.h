// The checks of Redis that an operator may deliberately switch off with --redis-waive.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Allows an append-only file that is not sealed. store/redis/append_only_seal.h describes the risk.
inline constexpr std::string_view kWaiveAofRewrite = "aof-rewrite";
// Suppresses the warning about a Redis that keeps nothing on disk, or does not report whether it does.
inline constexpr std::string_view kWaivePersistence = "persistence";

// The checks that are switched off. A value type.
struct RedisWaivers {
  bool aof_rewrite = false;
  bool persistence = false;
};

// Parses the names of waivers. An INVALID_ARGUMENT error lists the names that exist.
absl::StatusOr<RedisWaivers> ParseRedisWaivers(const std::vector<std::string>& names);

// Returns the names of the checks that are switched off.
std::vector<std::string> NamesOf(const RedisWaivers& waivers);

}  // namespace viewcount
