// Where to listen: host:port.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// A host name, an IPv4 address or an IPv6 address (without brackets), and a port from 0 to 65535.
struct HostPort {
  std::string host;
  uint16_t port = 0;

  // As ParseHostPort reads it.
  std::string ToString() const;
};

// Reads host:port or [IPv6]:port. INVALID_ARGUMENT says what is allowed.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

// Where the gRPC port may listen: on TCP, or on a UNIX socket.
struct ListenAddress {
  HostPort tcp;
  // Of the UNIX socket; empty for TCP.
  std::string socket_path;
};

// Reads what ParseHostPort reads, or unix:PATH (unix:///PATH as well), as gRPC names sockets. INVALID_ARGUMENT says
// what is allowed.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace viewcount
