// Checks of a Redis that an operator may waive knowingly: --redis-waive.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// The append-only file is not sealed (store/redis/append_only_seal.h says what that risks).
inline constexpr std::string_view kWaiveAofRewrite = "aof-rewrite";
// No warning about a Redis that keeps nothing on disk, or does not say whether it does.
inline constexpr std::string_view kWaivePersistence = "persistence";

// A value.
struct RedisWaivers {
  bool aof_rewrite = false;
  bool persistence = false;
};

// INVALID_ARGUMENT lists the names that exist.
absl::StatusOr<RedisWaivers> ParseRedisWaivers(const std::vector<std::string>& names);

// The names of what is waived.
std::vector<std::string> NamesOf(const RedisWaivers& waivers);

}  // namespace viewcount
