// Loopback ports for the servers of tests.
#pragma once

#include <cstdint>

namespace viewcount {

// Returns true if a server listens on this port of 127.0.0.1. Thread-safe.
bool IsListening(uint16_t port);

// Returns an unused port of 127.0.0.1. The port lies below those that the system gives to outgoing connections, so no
// connection takes it while its server is down. Ends the test program if no port is free. Thread-safe.
uint16_t PickFreePort();

}  // namespace viewcount
