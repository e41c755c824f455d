// Parses the address of Redis, the text of --redis.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

struct RedisAddress {
  // Either the path of a socket is set, or host and port.
  std::string socket_path;
  std::string host;
  uint16_t port = 6379;
  std::string user;
  std::string password;
  uint32_t database = 0;

  // Returns the address for messages, without user and password.
  std::string ToString() const;
};

// Parses redis://[[user]:password@]host[:port][/database] or redis+unix:///path[?db=N]. User and password may have
// percent escapes. An INVALID_ARGUMENT error states the problem without repeating `url`, which may hold a password.
// UNIMPLEMENTED for TLS, Sentinel and Cluster.
absl::StatusOr<RedisAddress> ParseRedisAddress(std::string_view url);

// Returns `url` with its password, if it has one, replaced by ***.
std::string WithoutPassword(std::string_view url);

}  // namespace viewcount
