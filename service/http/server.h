// An HTTP/1.1 server on a thread of its own.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "service/base/address_ranges.h"
#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

class HttpSession;

// How a server is spoken to, and by whom.
struct HttpAccess {
  // With it HTTPS is spoken, else HTTP.
  std::shared_ptr<boost::asio::ssl::context> tls;
  // Addresses that many clients share, such as proxies: the number of their connections is limited in all only.
  AddressRanges shared;
};

// Start, port and Stop are to be called from one thread; handlers run on the server's own.
class HttpServer {
 public:
  // `router` must be complete by now and outlive the server.
  explicit HttpServer(const HttpRouter& router, HttpLimits limits = {}, HttpAccess access = {});
  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on host:port; port 0 lets the system choose. INVALID_ARGUMENT for what is no address, UNAVAILABLE with the
  // reason when it cannot be listened on, for instance because another program does. To be called once.
  absl::Status Start(const std::string& address);

  // The port listened on; 0 before Start.
  uint16_t port() const { return port_; }

  // Takes no more connections, ends those that wait for a request, and lets answers under way finish for at most
  // limits.drain_timeout. Those that take longer go on.
  void Drain();
  // Drains and closes the rest. Afterwards no handler runs. A second call does nothing.
  //
  // What a handler waits for outside of the server must have ended by then: nothing may complete it afterwards.
  void Stop();

 private:
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket, boost::asio::ip::address peer);
  // Closes connections whose peers are late.
  boost::asio::awaitable<void> WatchDeadlines();
  // Why there is no room for one more connection of `peer`; null if there is.
  const char* WhyFull(const boost::asio::ip::address& peer) const;
  // Notes the end of the last session of a server that stops.
  void NoteEnd();
  // True once in a while: what goes wrong per connection must not fill the log.
  bool MayLog();

  const HttpRouter& router_;
  const HttpLimits limits_;
  const HttpAccess access_;
  uint16_t port_ = 0;
  // From here on used by thread_ only. context_ goes before them, and with it the coroutines that refer to them.
  std::set<HttpSession*> sessions_;
  std::map<boost::asio::ip::address, size_t> connections_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point last_log_{};
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  std::thread thread_;

  // Set when the server stops and no session is left.
  std::promise<void> ended_;
  std::shared_future<void> end_ = ended_.get_future();
};

}  // namespace viewcount
