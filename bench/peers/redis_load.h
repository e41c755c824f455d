// A closed loop of Redis commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bench/peers/view_commands.h"

namespace viewcount {

struct RedisLoadOptions {
  // A port of this machine, reached by TCP, like the service.
  uint16_t port = 0;
  size_t connections = 50;
  // The number of commands that a connection sends together. It sends the next ones when all of them are answered.
  size_t pipeline = 1;
  size_t lines_per_reply = 1;
  std::chrono::nanoseconds duration{};
};

// Sends commands for `duration`, then waits for the answers in flight. Throws std::system_error if Redis cannot be
// reached or does not answer for five seconds.
PeerResult LoadRedis(const ViewCommands& commands, const RedisLoadOptions& options);

}  // namespace viewcount
