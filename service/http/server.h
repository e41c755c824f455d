// An HTTP/1.1 server on a thread of its own.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "service/base/address_ranges.h"
#include "service/base/log_throttle.h"
#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

class HttpSession;

// How a server is spoken to, and by whom.
struct HttpAccess {
  // With it HTTPS is spoken, else HTTP. Must not be shared with other servers.
  std::shared_ptr<boost::asio::ssl::context> tls;
  // Addresses that many clients share, such as proxies: the number of their connections is limited in all only.
  AddressRanges shared;
};

// Start, port and the functions that stop are to be called from one thread; handlers run on the server's own.
class HttpServer {
 public:
  // Why a connection is refused.
  enum class Refusal : uint8_t { kInAll, kPerAddress };
  // What is reported, on the server's thread. Either may be empty.
  struct Observer {
    // How many connections are open now.
    std::function<void(size_t)> open;
    std::function<void(Refusal)> refused;
  };

  // `router` must be complete by now and outlive the server.
  explicit HttpServer(const HttpRouter& router, HttpLimits limits = {}, HttpAccess access = {}, Observer observer = {});
  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on host:port; port 0 lets the system choose. INVALID_ARGUMENT for what is no address, UNAVAILABLE with the
  // reason when it cannot be listened on, for instance because another program does. To be called once.
  absl::Status Start(const std::string& address);

  // The port listened on; 0 before Start.
  uint16_t port() const { return port_; }

  // Serves connections that come from now on by `access`. Thread safe.
  void SetAccess(HttpAccess access);
  // The executor of the server's thread. Thread safe.
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  // Begins to stop and does not wait: refuses new connections, but serves every connection that the system has taken
  // already. Each open connection gets one more answer if its request comes within limits.drain_idle_timeout. A second
  // call does nothing.
  void BeginDrain();
  // BeginDrain, if that has not been called. Returns when no connection is left, at the latest after
  // limits.drain_idle_timeout, counted from BeginDrain, and limits.drain_timeout for answers under way. Those that take
  // longer go on. A second call gives them limits.drain_timeout once more.
  void Drain();
  // Drains and closes the rest. Afterwards no handler runs. A second call does nothing.
  //
  // What a handler waits for outside of the server must have ended by then: nothing may complete it afterwards.
  void Stop();

 private:
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket, boost::asio::ip::address peer);
  // Serves or refuses a connection that was accepted.
  void Take(boost::asio::ip::tcp::socket socket);
  // What BeginDrain begins.
  boost::asio::awaitable<void> DrainConnections();
  // Closes connections whose peers are late.
  boost::asio::awaitable<void> WatchDeadlines();
  // Why there is no room for one more connection of `peer`; nothing if there is.
  std::optional<Refusal> WhyFull(const boost::asio::ip::address& peer) const;
  // Reports how many connections are open, and the end of the last one of a server that stops.
  void ReportOpen();

  const HttpRouter& router_;
  const HttpLimits limits_;
  const Observer observer_;
  uint16_t port_ = 0;
  // Of BeginDrain; of the caller's thread.
  std::optional<std::chrono::steady_clock::time_point> drain_began_;
  // From here on used by thread_ only. context_ goes before them, and with it the coroutines that refer to them.
  std::set<HttpSession*> sessions_;
  // Connections that were accepted and have no session yet.
  size_t starting_ = 0;
  std::map<boost::asio::ip::address, size_t> connections_;
  HttpAccess access_;
  bool stopping_ = false;
  LogThrottle accept_lines_;
  LogThrottle refusal_lines_;
  LogThrottle session_lines_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  std::thread thread_;

  // Set when the server stops and no session is left.
  std::promise<void> ended_;
  std::shared_future<void> end_ = ended_.get_future();
};

}  // namespace viewcount
