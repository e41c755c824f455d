// Loopback ports for servers of tests.
#pragma once

#include <cstdint>

namespace viewcount {

// True if something listens on 127.0.0.1 at that port.
bool IsListening(uint16_t port);

// A port of 127.0.0.1 that nobody uses, below those that the system gives to outgoing connections, so that none takes
// it while its server is down. Ends the test program if there is none.
uint16_t PickFreePort();

}  // namespace viewcount
