// Helpers for listening on TCP, shared by all servers of this process.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace viewcount {

// Binds `acceptor` to host:port and listens. Port 0 lets the system choose a port. INVALID_ARGUMENT if the text is no
// address. UNAVAILABLE, with the reason, if listening fails, for instance because another program uses the port.
absl::Status ListenOn(const std::string& address, boost::asio::ip::tcp::acceptor& acceptor);

// Makes the system ignore requests for new connections from now on. Handshakes that have begun still finish. The caller
// closes the acceptor some milliseconds later. An ignored client asks again after a second and is refused then. Where
// the system does not allow this, nothing changes.
void RefuseHandshakes(boost::asio::ip::tcp::acceptor& acceptor);

}  // namespace viewcount
