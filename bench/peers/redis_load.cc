#include "bench/peers/redis_load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "bench/peers/peer_socket.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

constexpr int kAnswerMillisecondsMax = 5'000;

UniqueFd ConnectTcp(uint16_t port) {
  UniqueFd fd = Connect(SOCK_STREAM, port);
  constexpr int kOn = 1;
  if (setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn)) != 0) Fail("TCP_NODELAY");
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) Fail("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

// The connections, and the number of answer lines that each of them still waits for. Used by one thread.
class Loop {
 public:
  Loop(const ViewCommands& commands, const RedisLoadOptions& options)
      : commands_(commands), options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (size_t i = 0; i < options.connections; ++i) {
      connections_.push_back({ConnectTcp(options.port)});
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connections_.back().fd.get(), &event) != 0) Fail("epoll_ctl");
    }
  }

  PeerResult Run() {
    const auto begin = steady_clock::now();
    const auto end = begin + options_.duration;
    for (Connection& connection : connections_) Send(connection);
    bool sending = true;
    while (waiting_ > 0) {
      std::array<epoll_event, 64> events;
      const int ready =
          epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kAnswerMillisecondsMax);
      if (ready <= 0) Fail("Redis does not answer");
      sending = sending && steady_clock::now() < end;
      for (int i = 0; i < ready; ++i) Receive(connections_[events[i].data.u64], sending);
    }
    result_.seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
    return result_;
  }

 private:
  struct Connection {
    UniqueFd fd;
    size_t lines_missing = 0;
  };

  void Send(Connection& connection) {
    if (next_ + options_.pipeline > commands_.size()) next_ = 0;
    SendAll(connection.fd.get(), commands_.Span(next_, options_.pipeline));
    next_ += options_.pipeline;
    connection.lines_missing = options_.pipeline * options_.lines_per_reply;
    result_.sent += options_.pipeline;
    ++waiting_;
  }

  void Receive(Connection& connection, bool sending) {
    std::array<char, 16 << 10> buffer;
    const ssize_t size = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) Fail("recv");
    const std::string_view text(buffer.data(), static_cast<size_t>(size));
    // Counts are positive, so a minus is the beginning of an error.
    result_.errors += static_cast<uint64_t>(std::ranges::count(text, '-'));
    connection.lines_missing -= static_cast<size_t>(std::ranges::count(text, '\n'));
    if (connection.lines_missing > 0) return;
    result_.answered += options_.pipeline;
    --waiting_;
    if (sending) Send(connection);
  }

  const ViewCommands& commands_;
  const RedisLoadOptions& options_;
  const UniqueFd epoll_;
  std::vector<Connection> connections_;
  PeerResult result_;
  size_t next_ = 0;
  // The number of connections with commands in flight.
  size_t waiting_ = 0;
};

}  // namespace

PeerResult LoadRedis(const ViewCommands& commands, const RedisLoadOptions& options) {
  return Loop(commands, options).Run();
}

}  // namespace viewcount
