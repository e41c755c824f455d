// A Lua script of the store, named to Redis by its digest.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/redis/connection.h"

namespace viewcount {

// Immutable.
class Script {
 public:
  explicit Script(std::string source);

  // Runs it by its digest; if Redis has forgotten it (a restart), once more with the whole text. The words of `keys`
  // and `arguments` must live until the answer. Returns an array; any error of Redis is a status.
  boost::asio::awaitable<absl::StatusOr<Reply>> Run(RedisConnection& connection,
                                                    const std::vector<std::string_view>& keys,
                                                    const std::vector<std::string_view>& arguments) const;

 private:
  const std::string source_;
  const std::string digest_;
};

}  // namespace viewcount
