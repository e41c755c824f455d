// An HTTP/1.1 server on a thread of its own.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>

#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

class HttpSession;

// Start, port and Stop are to be called from one thread; handlers run on the server's own.
class HttpServer {
 public:
  // `router` must be complete by now and outlive the server.
  explicit HttpServer(const HttpRouter& router, HttpLimits limits = {});
  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on host:port; port 0 lets the system choose. INVALID_ARGUMENT for what is no address, UNAVAILABLE with the
  // reason when it cannot be listened on, for instance because another program does. To be called once.
  absl::Status Start(const std::string& address);

  // The port listened on; 0 before Start.
  uint16_t port() const { return port_; }

  // Takes no more connections, lets answers under way finish for at most limits.drain_timeout, closes the rest.
  // Afterwards no handler runs. A second call does nothing.
  void Stop();

 private:
  absl::Status Listen(const std::string& address);
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket);
  // True once in a while: what goes wrong per connection must not fill the log.
  bool MayLog();

  const HttpRouter& router_;
  const HttpLimits limits_;
  uint16_t port_ = 0;
  // From here on used by thread_ only. context_ goes before them, and with it the coroutines that refer to them.
  std::set<HttpSession*> sessions_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point last_log_{};
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  // Set by Stop; its end ends the context.
  boost::asio::steady_timer drain_timer_{context_};
  std::thread thread_;
};

}  // namespace viewcount
