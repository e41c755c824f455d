#include "bench/load/beacons.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/encoded_pool.h"
#include "bench/load/http_answer.h"
#include "bench/load/pump.h"
#include "service/base/address.h"
#include "service/base/unique_fd.h"

namespace viewcount::bench {
namespace {

constexpr std::chrono::seconds kBeaconDrainTimeout{10};
constexpr timeval kBeaconConnectTimeout{.tv_sec = 5, .tv_usec = 0};
constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kEventsMax = 256;

// A connection and the request on it. A connection that is not open is opened for the next request.
struct Socket {
  UniqueFd file;
  TimePoint due;
  // The part of the request that is not written yet.
  std::string_view unwritten;
  std::string received;
  bool waits = false;
};

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string Replaced(std::string text, std::string_view word, std::string_view by) {
  const size_t at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), by);
}

// The number of visitors that send the beacons, through a proxy on this machine.
constexpr uint32_t kVisitors = 1 << 16;

// Formats a request like one of navigator.sendBeacon: a text that needs no preflight.
std::string RequestOf(const Options& options, const std::string& article, uint32_t visitor) {
  const std::string path = Replaced(options.path, "{article}", article);
  const std::string body = options.method == "POST" ? fmt::format(R"({{"articleId":"{}"}})", article) : "";
  std::string text = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
      "Origin: http://{}\r\nX-Forwarded-For: 10.1.{}.{}\r\n",
      options.method, path, options.target, options.target, visitor / 256, visitor % 256);
  if (options.method == "POST")
    text += fmt::format("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n", body.size());
  return text + "\r\n" + body;
}

// Sends beacons over non-blocking sockets and epoll. Each slot has one socket. Used by one thread.
class Client final : public BeaconClient {
 public:
  Client(const Options& options, Addresses addresses)
      : options_(options),
        addresses_(std::move(addresses)),
        poll_(epoll_create1(EPOLL_CLOEXEC)),
        sockets_(options.in_flight) {
    ArticleDraws draws(options);
    std::minstd_rand visitors(1);
    for (size_t i = 0; i < options.pool_views; ++i)
      requests_.Add(RequestOf(options, draws.Next(), static_cast<uint32_t>(visitors()) % kVisitors));
  }

  absl::Status Connect() override {
    for (Socket& socket : sockets_) {
      if (!Open(socket))
        return absl::UnavailableError(
            fmt::format("no HTTP server answers at {}: {}", options_.target, std::strerror(errno)));
    }
    return absl::OkStatus();
  }

  void Run(const Period& period, Tally& tally) override {
    // With the default timer slack, the kernel would wake the thread 50 µs late to save wake-ups.
    prctl(PR_SET_TIMERSLACK, 1);
    tally_ = &tally;
    Pump pump(period, options_.rate, sockets_.size(), [this](size_t slot, TimePoint due) { Send(slot, due); });
    TimePoint now = Clock::now();
    while (!pump.Finished(now) && now < period.end + kBeaconDrainTimeout) {
      tally.Tick(now);
      const TimePoint next = pump.Advance(now);
      // A request that could not be sent has failed immediately. Its slot is released here, outside of the pump's call.
      const bool failed = !free_.empty();
      ReleaseTo(pump, now);
      if (!failed) Wait(next - now);
      now = Clock::now();
      ReleaseTo(pump, now);
    }
    for (Socket& socket : sockets_) {
      if (socket.waits) Fail(socket, "TIMED_OUT");
    }
    tally.Tick(Clock::now());
    pump.ReportUnsent(tally);
  }

  uint64_t doubtful_views() const override { return doubtful_views_; }

 private:
  bool Open(Socket& socket) {
    socket.received.clear();
    for (const addrinfo* address = addresses_.get(); address != nullptr; address = address->ai_next) {
      socket.file = UniqueFd(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      // The connection attempt blocks, but not longer than the time-out.
      if (!socket.file.valid() ||
          setsockopt(socket.file.get(), SOL_SOCKET, SO_SNDTIMEO, &kBeaconConnectTimeout,
                     sizeof(kBeaconConnectTimeout)) != 0 ||
          connect(socket.file.get(), address->ai_addr, address->ai_addrlen) != 0)
        continue;
      const int on = 1;
      (void)setsockopt(socket.file.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return Watch(socket, EPOLL_CTL_ADD, EPOLLIN);
    }
    socket.file = UniqueFd();
    return false;
  }

  bool Watch(Socket& socket, int operation, uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &socket}};
    return epoll_ctl(poll_.get(), operation, socket.file.get(), &event) == 0;
  }

  void Send(size_t slot, TimePoint due) {
    Socket& socket = sockets_[slot];
    socket.due = due;
    socket.waits = true;
    if (!socket.file.valid() && !Open(socket)) return Fail(socket, "UNAVAILABLE");
    socket.unwritten = requests_[requests_.Next()];
    Write(socket);
  }

  void Write(Socket& socket) {
    const ssize_t written =
        send(socket.file.get(), socket.unwritten.data(), socket.unwritten.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return Fail(socket, "LOST");
    socket.unwritten.remove_prefix(std::max<ssize_t>(written, 0));
    if (!socket.unwritten.empty()) Watch(socket, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }

  void Wait(Clock::duration duration) {
    const auto wait = std::max(duration, Clock::duration(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (wait - seconds).count()};
    std::array<epoll_event, kEventsMax> events;
    const int count = epoll_pwait2(poll_.get(), events.data(), events.size(), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      auto& socket = *static_cast<Socket*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0 && socket.waits) {
        Watch(socket, EPOLL_CTL_MOD, EPOLLIN);
        Write(socket);
      }
      if ((events[i].events & ~EPOLLOUT) != 0 && socket.file.valid()) Read(socket);
    }
  }

  void Read(Socket& socket) {
    std::array<char, kReadBytes> buffer;
    const ssize_t size = recv(socket.file.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      if (socket.waits) return Fail(socket, "LOST");
      socket.file = UniqueFd();
      return;
    }
    std::string_view bytes(buffer.data(), size);
    // Most answers are received in one piece.
    if (!socket.received.empty()) bytes = socket.received.append(bytes);
    const HttpAnswer answer = ReadHttpAnswer(bytes);
    if (answer.state == HttpAnswer::State::kUnreadable ||
        (answer.state == HttpAnswer::State::kComplete && answer.bytes != bytes.size()))
      return Fail(socket, "UNREADABLE");
    if (answer.state == HttpAnswer::State::kComplete) return Finish(socket, answer);
    if (socket.received.empty()) socket.received = bytes;
  }

  void Finish(Socket& socket, const HttpAnswer& answer) {
    socket.received.clear();
    if (answer.closes) socket.file = UniqueFd();
    const bool ok = answer.status >= 200 && answer.status < 300;
    // After an internal error the server may have counted the view. 503 says that it has not.
    if (answer.status >= 500 && answer.status != 503) ++doubtful_views_;
    if (ok) {
      Answered(socket, {.code = "OK", .acknowledged_views = 1});
    } else {
      auto& name = codes_[answer.status];
      if (name.empty()) name = fmt::format("HTTP_{}", answer.status);
      Answered(socket, {.code = name});
    }
  }

  void Fail(Socket& socket, std::string_view code) {
    socket.file = UniqueFd();
    if (code != "UNAVAILABLE") ++doubtful_views_;
    Answered(socket, {.code = code});
  }

  void Answered(Socket& socket, const Answer& answer) {
    socket.waits = false;
    const TimePoint now = Clock::now();
    tally_->Tick(now);
    tally_->Add(socket.due, now, answer);
    free_.push_back(static_cast<size_t>(&socket - sockets_.data()));
  }

  void ReleaseTo(Pump& pump, TimePoint now) {
    // Slots that fail meanwhile are released the next time. Otherwise an unreachable server would keep the loop here
    // for ever.
    std::vector<size_t> released;
    released.swap(free_);
    for (const size_t slot : released) pump.Release(slot, now);
  }

  const Options options_;
  const Addresses addresses_;
  const UniqueFd poll_;
  EncodedPool requests_;
  std::vector<Socket> sockets_;
  // Slots whose requests were answered but that the pump does not know of yet.
  std::vector<size_t> free_;
  std::map<int, std::string> codes_;
  Tally* tally_ = nullptr;
  uint64_t doubtful_views_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BeaconClient>> BeaconClient::Create(const Options& options) {
  const auto target = ParseHostPort(options.target);
  if (!target.ok()) return target.status();
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(target->host.c_str(), std::to_string(target->port).c_str(), &wanted, &found);
  if (error != 0) return absl::UnavailableError(fmt::format("{}: {}", target->host, gai_strerror(error)));
  return std::make_unique<Client>(options, Addresses(found));
}

}  // namespace viewcount::bench
