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

// Belongs to the context's thread after Open.
class GrpcListener {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  // Binds all that `address` names, see ParseListenAddress, and listens: every address of a host name; with [::] and
  // with 0.0.0.0 every address of this machine, of both families, as gRPC's own server does; or a UNIX socket, in place
  // of one that nobody listens on any more. Port 0 lets the system choose one, the same for all addresses.
  //
  // INVALID_ARGUMENT for what is no address; UNAVAILABLE with the reason if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> Open(boost::asio::io_context& context,
                                                            const std::string& address);
  ~GrpcListener();

  // The address with the port that was chosen.
  const std::string& address() const { return address_; }
  std::vector<Acceptor>& acceptors() { return acceptors_; }
  // Takes no more connections, and removes the UNIX socket's file.
  void Close();

 private:
  GrpcListener() = default;
  absl::Status OpenSocket(boost::asio::io_context& context);

  std::string address_;
  std::string socket_path_;
  // The file is this listener's, to be removed.
  bool made_file_ = false;
  std::vector<Acceptor> acceptors_;
};

// The peer's address as bytes, for limits per address: of IPv6 the first 64 bits, since a host has all addresses with
// them; nothing for a UNIX socket.
std::string AddressKey(const boost::asio::generic::stream_protocol::endpoint& peer);

}  // namespace viewcount
