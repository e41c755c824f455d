#include "bench/peers/udp_load.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "bench/peers/peer_socket.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

// The number of packets in one system call.
constexpr size_t kGroup = 64;

// Sends the group of packets that begins with view `first`.
void SendGroup(int fd, const ViewCommands& commands, size_t first) {
  std::array<iovec, kGroup> parts;
  std::array<mmsghdr, kGroup> messages{};
  for (size_t i = 0; i < kGroup; ++i) {
    const std::string_view view = commands.Span(first + i, 1);
    // sendmmsg does not write to the data, although its type has no const.
    parts[i] = {const_cast<char*>(view.data()), view.size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  size_t sent = 0;
  while (sent < kGroup) {
    const int count = sendmmsg(fd, messages.data() + sent, static_cast<unsigned>(kGroup - sent), 0);
    if (count < 0) Fail("sendmmsg");
    sent += static_cast<size_t>(count);
  }
}

}  // namespace

PeerResult LoadUdp(const ViewCommands& commands, const UdpLoadOptions& options) {
  const UniqueFd fd = Connect(SOCK_DGRAM, options.port);
  const auto begin = steady_clock::now();
  const auto end = begin + options.duration;
  PeerResult result;
  size_t next = 0;
  for (auto now = begin; now < end; now = steady_clock::now()) {
    const auto due = begin + std::chrono::duration_cast<steady_clock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(result.sent) / options.rate));
    if (due > now) {
      std::this_thread::sleep_until(std::min(due, end));
      continue;
    }
    if (next + kGroup > commands.size()) next = 0;
    SendGroup(fd.get(), commands, next);
    next += kGroup;
    result.sent += kGroup;
  }
  result.seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  return result;
}

}  // namespace viewcount
