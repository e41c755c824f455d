#include "bench/load/corks.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <memory>
#include <string_view>

#include "service/base/address.h"

namespace viewcount::bench {
namespace {

// Returns the port at the other end, or 0 if `file` is not a connected TCP socket.
uint16_t PeerPort(int file) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(file, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

}  // namespace

Corks::Corks(const std::string& target) {
  const auto server = ParseHostPort(target);
  const auto close = [](DIR* files) { closedir(files); };
  const std::unique_ptr<DIR, decltype(close)> files(opendir("/proc/self/fd"), close);
  if (!server.ok() || files == nullptr) return;
  while (const dirent* entry = readdir(files.get())) {
    const std::string_view name = entry->d_name;
    int file = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), file).ec != std::errc()) continue;
    if (PeerPort(file) == server->port) sockets_.push_back(file);
  }
}

void Corks::Set(bool corked) {
  if (corked == corked_) return;
  corked_ = corked;
  const int value = corked ? 1 : 0;
  // A descriptor for which this fails is no longer a socket. Without a cork the load only costs a little more.
  for (const int socket : sockets_) (void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

}  // namespace viewcount::bench
