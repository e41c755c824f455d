#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace viewcount {
namespace {

// Calls bind or connect with a new socket. Returns true if the call succeeded.
bool Try(int (*call)(int, const sockaddr*, socklen_t), uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool done = call(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(socket_fd);
  return done;
}

}  // namespace

bool IsListening(uint16_t port) { return Try(connect, port); }

uint16_t PickFreePort() {
  std::random_device random;
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    const auto port = static_cast<uint16_t>(std::uniform_int_distribution<int>(15'000, 32'000)(random));
    if (Try(bind, port)) return port;
  }
  std::fprintf(stderr, "test support: no free port\n");
  std::_Exit(EXIT_FAILURE);
}

}  // namespace viewcount
