#include "service/base/redis_waivers.h"

#include <fmt/format.h>

namespace viewcount {

absl::StatusOr<RedisWaivers> ParseRedisWaivers(const std::vector<std::string>& names) {
  RedisWaivers waivers;
  for (const std::string& name : names) {
    if (name == kWaiveAofRewrite) {
      waivers.aof_rewrite = true;
    } else if (name == kWaivePersistence) {
      waivers.persistence = true;
    } else {
      return absl::InvalidArgumentError(
          fmt::format("must be {} or {}, not \"{}\"", kWaiveAofRewrite, kWaivePersistence, name));
    }
  }
  return waivers;
}

std::vector<std::string> NamesOf(const RedisWaivers& waivers) {
  std::vector<std::string> names;
  if (waivers.aof_rewrite) names.emplace_back(kWaiveAofRewrite);
  if (waivers.persistence) names.emplace_back(kWaivePersistence);
  return names;
}

}  // namespace viewcount
