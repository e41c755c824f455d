// Sockets that connect a load generator to the server under load.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "service/base/unique_fd.h"

namespace viewcount {

// Throws the error of a failed system call, which ends the load.
[[noreturn]] inline void Fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Returns a socket that is connected to a port of this machine. `type` is SOCK_STREAM or SOCK_DGRAM.
inline UniqueFd Connect(int type, uint16_t port) {
  UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Fail("connect");
  return fd;
}

}  // namespace viewcount
