// Listening on TCP, as every server here does.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace viewcount {

// Binds `acceptor` to host:port and listens; port 0 lets the system choose. INVALID_ARGUMENT for what is no address,
// UNAVAILABLE with the reason when it cannot be listened on, for instance because another program does.
absl::Status ListenOn(const std::string& address, boost::asio::ip::tcp::acceptor& acceptor);

// Has the system ignore requests for new connections from now on, while handshakes under way still end. Close the
// acceptor some milliseconds later: a client that was ignored asks again after a second and is refused then. Where the
// system does not allow it, nothing changes.
void RefuseHandshakes(boost::asio::ip::tcp::acceptor& acceptor);

}  // namespace viewcount
