// A Lua script of the store, which Redis identifies by its digest.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/redis/connection.h"

namespace viewcount {

// Immutable, so thread-safe.
class Script {
 public:
  explicit Script(std::string source);

  // Runs the script by its digest. If Redis does not know it (after a restart), runs it again with the whole text. The
  // words of `keys` and `arguments` must stay valid until the answer. Returns an array; every error of Redis is
  // returned as a status.
  boost::asio::awaitable<absl::StatusOr<Reply>> Run(RedisConnection& connection,
                                                    const std::vector<std::string_view>& keys,
                                                    const std::vector<std::string_view>& arguments) const;

 private:
  const std::string source_;
  const std::string digest_;
};

}  // namespace viewcount
