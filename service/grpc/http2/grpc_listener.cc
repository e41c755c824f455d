#include "service/grpc/http2/grpc_listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>
#include <utility>

#include "service/base/address.h"

namespace viewcount {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using Endpoint = asio::generic::stream_protocol::endpoint;
using Acceptor = GrpcListener::Acceptor;

// The number of attempts to find a port for all addresses. With port 0, the port chosen for the first address may be in
// use at another one.
constexpr int kPortTries = 16;

error_code Listen(Acceptor& acceptor, const Endpoint& endpoint, bool both_families) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  // SO_REUSEADDR allows to listen although connections of an earlier process are in TIME_WAIT. Unlike SO_REUSEPORT, it
  // does not let two servers share a port.
  if (!error && endpoint.protocol().family() != AF_UNIX) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol().family() == AF_INET6) {
    acceptor.set_option(asio::ip::v6_only(!both_families), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

// Returns true if the machine lacks the address' family or the address itself. The other addresses of the host are then
// enough.
bool IsAbsent(const error_code& error) {
  return error == asio::error::address_family_not_supported || error == boost::system::errc::address_not_available;
}

uint16_t PortOf(const Acceptor& acceptor) {
  error_code ignored;
  const Endpoint endpoint = acceptor.local_endpoint(ignored);
  sockaddr_in6 address{};
  // The port has the same offset in the addresses of both families.
  std::memcpy(&address, endpoint.data(), std::min(sizeof(address), endpoint.size()));
  return ntohs(address.sin6_port);
}

// Listens on all `addresses` that the machine has, with one port.
error_code ListenOnAll(asio::io_context& context, const std::vector<asio::ip::address>& addresses, uint16_t port,
                       bool both_families, std::vector<Acceptor>& acceptors) {
  error_code failed;
  const bool chosen = port == 0;
  for (int tries = 0; tries < kPortTries; ++tries) {
    acceptors.clear();
    if (chosen) port = 0;
    failed = {};
    error_code absent;
    for (const auto& address : addresses) {
      Acceptor acceptor(context);
      const error_code error = Listen(acceptor, tcp::endpoint(address, port), both_families);
      if (IsAbsent(error)) {
        absent = error;
        continue;
      }
      if (error) {
        failed = error;
        break;
      }
      port = PortOf(acceptor);
      acceptors.push_back(std::move(acceptor));
    }
    if (!failed && acceptors.empty()) return absent;
    if (!failed || !chosen) break;
  }
  return failed;
}

// Removes the socket file that an earlier process left. A socket with a listener, or any other file, is kept.
void RemoveStaleSocket(asio::io_context& context, const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  asio::local::stream_protocol::socket probe(context);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (error == asio::error::connection_refused) unlink(path.c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcListener>> GrpcListener::Open(asio::io_context& context,
                                                                 const std::string& address) {
  const auto parsed = ParseListenAddress(address);
  if (!parsed.ok()) return parsed.status();
  std::unique_ptr<GrpcListener> listener(new GrpcListener);
  if (!parsed->socket_path.empty()) {
    listener->address_ = "unix:" + parsed->socket_path;
    listener->socket_path_ = parsed->socket_path;
    if (auto status = listener->OpenSocket(context); !status.ok()) return status;
    return listener;
  }
  const HostPort& tcp_address = parsed->tcp;
  error_code error;
  std::vector<asio::ip::address> addresses;
  const bool everywhere = tcp_address.host == "0.0.0.0" || tcp_address.host == "::";
  if (everywhere) {
    addresses = {asio::ip::address_v6::any()};
  } else {
    const auto found = tcp::resolver(context).resolve(tcp_address.host, std::to_string(tcp_address.port),
                                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
    for (const auto& entry : found) {
      const auto found_address = entry.endpoint().address();
      if (std::ranges::find(addresses, found_address) == addresses.end()) addresses.push_back(found_address);
    }
  }
  if (!error) error = ListenOnAll(context, addresses, tcp_address.port, everywhere, listener->acceptors_);
  if (everywhere && IsAbsent(error)) {
    addresses = {asio::ip::address_v4::any()};
    error = ListenOnAll(context, addresses, tcp_address.port, false, listener->acceptors_);
  }
  if (error) return absl::UnavailableError(fmt::format("cannot listen on {}: {}", address, error.message()));
  listener->address_ = HostPort{tcp_address.host, PortOf(listener->acceptors_.front())}.ToString();
  return listener;
}

absl::Status GrpcListener::OpenSocket(asio::io_context& context) {
  RemoveStaleSocket(context, socket_path_);
  Acceptor acceptor(context);
  const error_code error = Listen(acceptor, asio::local::stream_protocol::endpoint(socket_path_), false);
  if (error) return absl::UnavailableError(fmt::format("cannot listen on {}: {}", address_, error.message()));
  made_file_ = true;
  acceptors_.push_back(std::move(acceptor));
  return absl::OkStatus();
}

GrpcListener::~GrpcListener() { Close(); }

void GrpcListener::Close() {
  // The file is removed while the socket is open. Later, another process could already listen there.
  if (std::exchange(made_file_, false)) unlink(socket_path_.c_str());
  error_code ignored;
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
}

std::string AddressKey(const Endpoint& peer) {
  // The network prefix of an IPv6 address usually has 64 bits (RFC 4291).
  constexpr size_t kNetworkBytes = 8;
  if (peer.protocol().family() == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, peer.data(), std::min(sizeof(address), peer.size()));
    return {reinterpret_cast<const char*>(&address.sin_addr), sizeof(address.sin_addr)};
  }
  if (peer.protocol().family() != AF_INET6) return "";
  sockaddr_in6 address{};
  std::memcpy(&address, peer.data(), std::min(sizeof(address), peer.size()));
  const char* const bytes = reinterpret_cast<const char*>(&address.sin6_addr);
  // An IPv4 client that is connected to a socket for both families.
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return {bytes + 12, sizeof(in_addr)};
  return {bytes, kNetworkBytes};
}

}  // namespace viewcount
