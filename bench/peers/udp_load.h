// Packets at an even rate, one view each; nothing answers.
#pragma once

#include <chrono>
#include <cstdint>

#include "bench/peers/view_commands.h"

namespace viewcount {

struct UdpLoadOptions {
  uint16_t port = 0;
  // Packets a second. What the receiver does not keep up with is dropped by the kernel.
  double rate = 300'000;
  std::chrono::nanoseconds duration{};
};

// Throws std::system_error where packets cannot be sent.
PeerResult LoadUdp(const ViewCommands& commands, const UdpLoadOptions& options);

}  // namespace viewcount
