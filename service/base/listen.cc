#include "service/base/listen.h"

#include <fmt/format.h>

#include "service/base/address.h"

namespace viewcount {
namespace asio = boost::asio;
using asio::ip::tcp;

absl::Status ListenOn(const std::string& address, tcp::acceptor& acceptor) {
  const auto parsed = ParseHostPort(address);
  if (!parsed.ok()) return parsed.status();
  boost::system::error_code error;
  const auto found = tcp::resolver(acceptor.get_executor())
                         .resolve(parsed->host, std::to_string(parsed->port),
                                  tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (!error) {
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    // Connections of an earlier process may still be in TIME_WAIT. This does not let two servers share a port, which
    // SO_REUSEPORT would.
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot listen on {}: {}", address, error.message()));
}

}  // namespace viewcount
