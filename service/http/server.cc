#include "service/http/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/check.h"
#include "service/base/listen.h"
#include "service/base/scheduling.h"
#include "service/http/session.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;

constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);
// A late peer may be noticed one interval too late. Each interval costs one check of every connection.
constexpr int kWatchesPerTimeout = 16;
constexpr std::chrono::milliseconds kWatchIntervalMin{5};
constexpr std::chrono::milliseconds kWatchIntervalMax{500};
// Handshakes under way end within this time, so their connections are served before the port is closed.
constexpr std::chrono::milliseconds kHandshakesEnd{20};
constexpr std::string_view kFull =
    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
    "\"detail\":\"too many connections at the moment\",\"code\":\"UNAVAILABLE\"}\n";

// Answers 503 to a peer for which there is no room, without waiting for the peer.
void Refuse(tcp::socket socket) {
  static const std::string answer = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n"
      "Retry-After: 1\r\nConnection: close\r\n\r\n{}",
      kFull.size(), kFull);
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(answer), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

const char* TextOf(HttpServer::Refusal refusal) {
  return refusal == HttpServer::Refusal::kInAll ? "too many connections" : "too many connections from one address";
}

}  // namespace

HttpServer::HttpServer(const HttpRouter& router, HttpLimits limits, HttpAccess access, Observer observer)
    : router_(router), limits_(limits), observer_(std::move(observer)), access_(std::move(access)), places_(limits) {}

HttpServer::~HttpServer() { Stop(); }

absl::Status HttpServer::Start(const std::string& address) {
  VIEWCOUNT_CHECK(!thread_.joinable());
  if (auto status = ListenOn(address, acceptor_); !status.ok()) return status;
  boost::system::error_code error;
  port_ = acceptor_.local_endpoint(error).port();
  if (error) return absl::UnavailableError(fmt::format("cannot listen on {}: {}", address, error.message()));
  asio::co_spawn(context_, Accept(), asio::detached);
  asio::co_spawn(context_, WatchDeadlines(), asio::detached);
  thread_ = std::thread([this] {
    AskForSlice(kConnectionsSlice);
    context_.run();
  });
  return absl::OkStatus();
}

void HttpServer::SetAccess(HttpAccess access) {
  asio::post(context_, [this, access = std::move(access)]() mutable { access_ = std::move(access); });
}

void HttpServer::BeginDrain() {
  if (!thread_.joinable() || drain_began_) return;
  drain_began_ = std::chrono::steady_clock::now();
  asio::co_spawn(context_, DrainConnections(), asio::detached);
}

void HttpServer::Drain() {
  if (!thread_.joinable()) return;
  BeginDrain();
  // A second call waits for answers that could not be given before, because the work they waited for has ended in
  // between.
  const auto idle_end = std::max(*drain_began_ + limits_.drain_idle_timeout, std::chrono::steady_clock::now());
  end_.wait_until(idle_end + limits_.drain_timeout);
}

void HttpServer::Stop() {
  if (!thread_.joinable()) return;
  Drain();
  context_.stop();
  thread_.join();
}

awaitable<void> HttpServer::DrainConnections() {
  stopping_ = true;
  boost::system::error_code ignored;
  // Finish does not remove a session from the set. That happens when the session's coroutine resumes.
  for (auto* session : sessions_) session->Finish();
  asio::steady_timer timer(context_);
  if (limits_.drain_idle_timeout.count() > 0) {
    // When the port is closed, the system resets connections that are not accepted yet, and their requests are lost. So
    // new handshakes are refused first, and then all waiting connections are accepted.
    RefuseHandshakes(acceptor_);
    timer.expires_after(kHandshakesEnd);
    co_await timer.async_wait(kAwaitTuple);
    acceptor_.non_blocking(true, ignored);
    while (true) {
      boost::system::error_code error;
      tcp::socket socket(context_);
      acceptor_.accept(socket, error);
      if (error) break;
      Take(std::move(socket));
    }
  }
  acceptor_.close(ignored);
  ReportOpen();
  if (limits_.drain_idle_timeout.count() == 0) co_return;
  timer.expires_after(limits_.drain_idle_timeout - std::min(limits_.drain_idle_timeout, kHandshakesEnd));
  co_await timer.async_wait(kAwaitTuple);
  for (auto* session : sessions_) session->EndWait();
}

void HttpServer::ReportOpen() {
  if (observer_.open) observer_.open(sessions_.size());
  if (stopping_ && !acceptor_.is_open() && sessions_.empty() && starting_ == 0 &&
      end_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    ended_.set_value();
  }
}

awaitable<void> HttpServer::Accept() {
  asio::steady_timer pause(context_);
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwaitTuple);
    if (!error) {
      Take(std::move(socket));
    } else if (acceptor_.is_open()) {
      // Usually the process has no file descriptors left. That ends when a connection is closed.
      if (accept_lines_.Take())
        spdlog::error("cannot accept an HTTP connection, going on port={} error={}", port_, error.message());
      pause.expires_after(limits::kHttpAcceptRetryDelay);
      co_await pause.async_wait(kAwaitTuple);
    }
  }
}

void HttpServer::Take(tcp::socket socket) {
  boost::system::error_code gone;
  const auto peer = socket.remote_endpoint(gone).address();
  if (const auto refusal = WhyFull(peer)) {
    if (observer_.refused) observer_.refused(*refusal);
    // The peer is not logged, because addresses are never written anywhere.
    if (refusal_lines_.Take()) spdlog::warn("refusing HTTP connections: {} port={}", TextOf(*refusal), port_);
    // A peer that expects TLS could not read the answer.
    if (access_.tls == nullptr) Refuse(std::move(socket));
  } else {
    ++starting_;
    asio::co_spawn(context_, Serve(std::move(socket), peer), asio::detached);
  }
}

awaitable<void> HttpServer::WatchDeadlines() {
  const auto shortest = std::min(limits_.request_timeout, limits_.idle_timeout);
  const auto interval = std::clamp(shortest / kWatchesPerTimeout, kWatchIntervalMin, kWatchIntervalMax);
  asio::steady_timer timer(context_);
  while (true) {
    timer.expires_after(interval);
    co_await timer.async_wait(kAwaitTuple);
    const auto now = std::chrono::steady_clock::now();
    for (auto* session : sessions_) session->CloseIfLate(now);
  }
}

std::optional<HttpServer::Refusal> HttpServer::WhyFull(const asio::ip::address& peer) const {
  if (sessions_.size() + starting_ >= limits_.connections_max) return Refusal::kInAll;
  const auto known = connections_.find(peer);
  if (known == connections_.end() || known->second < limits_.connections_per_address_max) return std::nullopt;
  return access_.shared.Contains(peer) ? std::nullopt : std::optional(Refusal::kPerAddress);
}

awaitable<void> HttpServer::Serve(tcp::socket socket, asio::ip::address peer) {
  --starting_;
  // SetAccess may replace `access_.tls` meanwhile.
  const auto tls = access_.tls;
  const auto session =
      HttpSession::Make(std::move(socket), tls.get(), router_, limits_, places_, access_.shared.Contains(peer));
  sessions_.insert(session.get());
  ++connections_[peer];
  ReportOpen();
  if (stopping_) session->Finish();
  try {
    co_await session->Run();
  } catch (const std::exception& error) {
    if (session_lines_.Take()) spdlog::error("an HTTP session failed port={} error={}", port_, error.what());
  }
  sessions_.erase(session.get());
  if (const auto known = connections_.find(peer); --known->second == 0) connections_.erase(known);
  ReportOpen();
}

}  // namespace viewcount
