// The sockets on which the gRPC port listens.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace viewcount {

// Not thread-safe. After Open, it is used by the context's thread only.
class GrpcListener {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  // Binds all addresses that `address` names (see ParseListenAddress) and listens:
  // - A host name stands for each of its addresses.
  // - [::] and 0.0.0.0 stand for every address of this machine, of both families, as in gRPC's own server.
  // - A UNIX socket replaces an existing one that no process listens on.
  //
  // Port 0 lets the system choose a port, the same for all addresses. Returns INVALID_ARGUMENT if `address` is not an
  // address. Returns UNAVAILABLE with the reason if it cannot listen there.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> Open(boost::asio::io_context& context,
                                                            const std::string& address);
  ~GrpcListener();

  // Returns the address with the actual port.
  const std::string& address() const { return address_; }
  std::vector<Acceptor>& acceptors() { return acceptors_; }
  // Stops listening, and removes the UNIX socket's file.
  void Close();

 private:
  GrpcListener() = default;
  absl::Status OpenSocket(boost::asio::io_context& context);

  std::string address_;
  std::string socket_path_;
  // True if this listener created the file and must remove it.
  bool made_file_ = false;
  std::vector<Acceptor> acceptors_;
};

// Returns the peer's address as a key for limits per address. For IPv6 the key is the first 64 bits, because one host
// usually owns all addresses with that prefix. The key of a UNIX socket is empty.
std::string AddressKey(const boost::asio::generic::stream_protocol::endpoint& peer);

}  // namespace viewcount
