#include "service/base/listen.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>

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
    // Connections of an earlier process may still be in TIME_WAIT. Unlike SO_REUSEPORT, this option does not let two
    // servers share a port.
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot listen on {}: {}", address, error.message()));
}

void RefuseHandshakes(tcp::acceptor& acceptor) {
  // The filter sees TCP segments beginning with their header (Linux, tcp_filter). It drops segments with the SYN flag
  // (RFC 9293, section 3.1: byte 13, bit 1).
  constexpr uint32_t kFlagsAt = 13;
  constexpr uint32_t kSyn = 0x02;
  constexpr uint32_t kAll = 0xFFFF'FFFF;
  std::array<sock_filter, 4> filter = {{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsAt),
                                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kSyn, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
                                        BPF_STMT(BPF_RET | BPF_K, kAll)}};
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  // This is best effort. Without the filter, a connection that arrives in the moment of the close is lost.
  static_cast<void>(setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

}  // namespace viewcount
