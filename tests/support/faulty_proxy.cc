#include "tests/support/faulty_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/support/free_port.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kReadBytes = 64 << 10;
// The number of pieces that one direction of a connection may hold back. Above it the proxy stops reading from the
// socket.
constexpr size_t kPiecesMax = 1'024;
constexpr size_t kSlicedBytes = 200;
constexpr milliseconds kPollWait{5};

int OpenSocket(const std::string& path, int (*use)(int, const sockaddr*, socklen_t)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return -1;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (use(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return made;
  close(made);
  return -1;
}

int BindPort(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return made;
  close(made);
  return -1;
}

}  // namespace

FaultyProxy::FaultyProxy(std::string path, std::string server, uint64_t seed)
    : FaultyProxy(OpenSocket(path, bind), path, 0, std::move(server), seed) {}

FaultyProxy::FaultyProxy(std::string server, uint64_t seed) : FaultyProxy(PickFreePort(), std::move(server), seed) {}

FaultyProxy::FaultyProxy(uint16_t port, std::string server, uint64_t seed)
    : FaultyProxy(BindPort(port), "", port, std::move(server), seed) {}

FaultyProxy::FaultyProxy(int listener, std::string path, uint16_t port, std::string server, uint64_t seed)
    : path_(std::move(path)), port_(port), listener_(listener), server_(std::move(server)), random_(seed) {
  if (listener_ < 0 || listen(listener_, 64) != 0) {
    std::perror(("test support: the proxy cannot listen " + path_).c_str());
    std::_Exit(EXIT_FAILURE);
  }
  thread_ = std::thread([this] { Run(); });
}

std::string FaultyProxy::url(const std::string& credentials) const {
  if (!path_.empty()) return "redis+unix://" + path_;
  return "redis://" + (credentials.empty() ? "" : credentials + "@") + "127.0.0.1:" + std::to_string(port_);
}

void FaultyProxy::SetServer(std::string server) {
  const std::lock_guard lock(mutex_);
  server_ = std::move(server);
}

FaultyProxy::~FaultyProxy() {
  stop_ = true;
  thread_.join();
  close(listener_);
  if (!path_.empty()) unlink(path_.c_str());
}

void FaultyProxy::SetFaults(const Faults& faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

FaultyProxy::Counts FaultyProxy::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool FaultyProxy::Happens(double likely) { return std::bernoulli_distribution(likely)(random_); }

milliseconds FaultyProxy::Pause(milliseconds most) {
  return milliseconds(std::uniform_int_distribution<int64_t>(0, most.count())(random_));
}

void FaultyProxy::Run() {
  while (!stop_) {
    PollOnce();
    const Time now = steady_clock::now();
    for (Connection& connection : connections_) {
      Deliver(connection, connection.commands, now);
      Deliver(connection, connection.answers, now);
    }
    DropBroken(now);
  }
  for (Connection& connection : connections_) connection.broken = true;
  DropBroken(steady_clock::now());
}

void FaultyProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  std::string to;
  {
    const std::lock_guard lock(mutex_);
    to = server_;
  }
  const int server = OpenSocket(to, connect);
  // No server is listening. The client's connection is closed, as if the line were cut.
  if (server < 0) {
    close(client);
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.commands = {.from = client, .to = server, .answers = false, .pieces = {}};
  connection.answers = {.from = server, .to = client, .answers = true, .pieces = {}};
  const std::lock_guard lock(mutex_);
  ++counts_.connections;
}

void FaultyProxy::PollOnce() {
  std::vector<pollfd> sockets = {{listener_, POLLIN, 0}};
  std::vector<std::pair<Connection*, Pipe*>> readers;
  for (Connection& connection : connections_) {
    for (Pipe* pipe : {&connection.commands, &connection.answers}) {
      if (pipe->pieces.size() >= kPiecesMax) continue;
      sockets.push_back({pipe->from, POLLIN, 0});
      readers.emplace_back(&connection, pipe);
    }
  }
  if (poll(sockets.data(), sockets.size(), static_cast<int>(kPollWait.count())) <= 0) return;
  for (size_t i = 0; i < readers.size(); ++i) {
    if (sockets[i + 1].revents != 0) Receive(*readers[i].first, *readers[i].second);
  }
  if (sockets[0].revents != 0) Accept();
}

void FaultyProxy::Receive(Connection& connection, Pipe& pipe) {
  std::string bytes(kReadBytes, '\0');
  const ssize_t got = read(pipe.from, bytes.data(), bytes.size());
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    connection.broken = true;
    return;
  }
  bytes.resize(static_cast<size_t>(got));
  Pass(connection, pipe, std::move(bytes));
}

void FaultyProxy::Pass(Connection& connection, Pipe& pipe, std::string bytes) {
  const Time now = steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (pipe.answers && !connection.swallowing && Happens(faults_.swallow)) {
    connection.swallowing = true;
    connection.cut_at = now + Pause(faults_.silence_max);
    ++counts_.swallows;
  }
  if (pipe.answers && (connection.swallowing || swallow_all_)) {
    connection.missed = true;
    return;
  }
  if (Happens(faults_.cut)) {
    // A part of the bytes still gets through.
    bytes.resize(std::uniform_int_distribution<size_t>(0, bytes.size())(random_));
    connection.cut_at = now;
    ++counts_.cuts;
  }
  Time due = pipe.pieces.empty() ? now : pipe.pieces.back().due;
  if (Happens(faults_.delay)) {
    due = std::max(due, now + Pause(faults_.delay_max));
    ++counts_.delays;
  }
  if (Happens(faults_.slice)) {
    const size_t sliced = std::min(bytes.size(), kSlicedBytes);
    for (size_t i = 0; i < sliced; ++i) pipe.pieces.push_back({due, bytes.substr(i, 1)});
    bytes.erase(0, sliced);
    ++counts_.slices;
  }
  if (!bytes.empty()) pipe.pieces.push_back({due, std::move(bytes)});
}

void FaultyProxy::Deliver(Connection& connection, Pipe& pipe, Time now) {
  while (!connection.broken && !pipe.pieces.empty() && pipe.pieces.front().due <= now) {
    std::string& bytes = pipe.pieces.front().bytes;
    const ssize_t sent = send(pipe.to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      connection.broken = errno != EAGAIN;
      return;
    }
    bytes.erase(0, static_cast<size_t>(sent));
    if (bytes.empty()) pipe.pieces.pop_front();
  }
}

void FaultyProxy::DropBroken(Time now) {
  std::erase_if(connections_, [&](const Connection& connection) {
    const bool out_of_step = connection.missed && !connection.swallowing && !swallow_all_;
    if (!connection.broken && !out_of_step && now < connection.cut_at) return false;
    close(connection.commands.from);
    close(connection.commands.to);
    return true;
  });
}

}  // namespace viewcount
