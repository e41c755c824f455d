// Parses the addresses on which the service listens: host:port, or the path of a UNIX socket.
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

  // Returns the text in the form that ParseHostPort reads.
  std::string ToString() const;
};

// Parses host:port or [IPv6]:port. The text of an INVALID_ARGUMENT error states the allowed forms. Thread-safe.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

// The address of the gRPC port: a TCP address or a UNIX socket.
struct ListenAddress {
  HostPort tcp;
  // The path of the UNIX socket. Empty for TCP.
  std::string socket_path;
};

// Parses the forms that ParseHostPort reads, and unix:PATH or unix:///PATH, which is how gRPC names sockets. The text
// of an INVALID_ARGUMENT error states the allowed forms. Thread-safe.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace viewcount
