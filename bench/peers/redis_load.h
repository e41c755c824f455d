// A closed loop of Redis commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bench/peers/view_commands.h"

namespace viewcount {

struct RedisLoadOptions {
  // Of this machine, by TCP, as the service is reached too.
  uint16_t port = 0;
  size_t connections = 50;
  // Commands that a connection sends at once; it sends the next ones when all of them are answered.
  size_t pipeline = 1;
  size_t lines_per_reply = 1;
  std::chrono::nanoseconds duration{};
};

// Sends for `duration`, then waits for the answers that are under way. Throws std::system_error where Redis cannot be
// reached or does not answer for five seconds.
PeerResult LoadRedis(const ViewCommands& commands, const RedisLoadOptions& options);

}  // namespace viewcount
