// Sends packets at a constant rate, with one view in each. No answers are expected.
#pragma once

#include <chrono>
#include <cstdint>

#include "bench/peers/view_commands.h"

namespace viewcount {

struct UdpLoadOptions {
  uint16_t port = 0;
  // Packets per second. The kernel drops the packets that the receiver cannot keep up with.
  double rate = 300'000;
  std::chrono::nanoseconds duration{};
};

// Sends packets for `duration`. Throws std::system_error if packets cannot be sent.
PeerResult LoadUdp(const ViewCommands& commands, const UdpLoadOptions& options);

}  // namespace viewcount
