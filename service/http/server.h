// An HTTP/1.1 server with its own thread.
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
#include "service/http/event_places.h"
#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

class HttpSession;

// Configures how clients connect to a server.
struct HttpAccess {
  // If set, the server speaks HTTPS, otherwise HTTP. Must not be shared with other servers.
  std::shared_ptr<boost::asio::ssl::context> tls;
  // Addresses that many clients share, such as proxies. Their connections count towards the total limit only.
  AddressRanges shared;
};

// Not thread-safe, except where a comment says so. Start, port and the functions that stop must be called on one
// thread. Handlers run on the server's own thread.
class HttpServer {
 public:
  // The limit because of which a connection is refused.
  enum class Refusal : uint8_t { kInAll, kPerAddress };
  // Callbacks on the server's thread. Either may be empty.
  struct Observer {
    // Receives the number of connections that are open now.
    std::function<void(size_t)> open;
    std::function<void(Refusal)> refused;
  };

  // `router` must be complete before this call, and must outlive the server.
  explicit HttpServer(const HttpRouter& router, HttpLimits limits = {}, HttpAccess access = {}, Observer observer = {});
  // Calls Stop.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on host:port; port 0 lets the system choose a port. Returns INVALID_ARGUMENT if `address` is not an
  // address. Returns UNAVAILABLE with the reason if it cannot listen, for instance because another program does. Must
  // be called once.
  absl::Status Start(const std::string& address);

  // Returns the port that the server listens on. 0 before Start.
  uint16_t port() const { return port_; }

  // Uses `access` for connections accepted from now on. Thread-safe.
  void SetAccess(HttpAccess access);
  // Returns the executor of the server's thread. Thread-safe.
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  // Begins to stop without waiting. The server refuses new connections, but serves every connection that the system has
  // already established. Each open connection gets one more answer if its request arrives within
  // limits.drain_idle_timeout. A second call does nothing.
  void BeginDrain();
  // Calls BeginDrain if needed, and waits until no connection is left. The wait ends at the latest after
  // limits.drain_idle_timeout, counted from BeginDrain, and then limits.drain_timeout for answers under way. Answers
  // that take longer continue. A second call gives them limits.drain_timeout again.
  void Drain();
  // Drains, and closes the remaining connections. No handler runs afterwards. A second call does nothing.
  //
  // Work outside of the server that handlers wait for must have ended before. It must not complete a handler
  // afterwards.
  void Stop();

 private:
  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket, boost::asio::ip::address peer);
  // Serves or refuses an accepted connection.
  void Take(boost::asio::ip::tcp::socket socket);
  // The coroutine that BeginDrain starts.
  boost::asio::awaitable<void> DrainConnections();
  // Closes connections whose peers are late.
  boost::asio::awaitable<void> WatchDeadlines();
  // Returns why there is no room for one more connection of `peer`, or nothing if there is room.
  std::optional<Refusal> WhyFull(const boost::asio::ip::address& peer) const;
  // Reports the number of open connections. When the server stops, it also reports the end of the last one.
  void ReportOpen();

  const HttpRouter& router_;
  const HttpLimits limits_;
  const Observer observer_;
  uint16_t port_ = 0;
  // The time of BeginDrain. Used by the caller's thread only.
  std::optional<std::chrono::steady_clock::time_point> drain_began_;
  // From here on, used by thread_ only. context_ is destroyed before these members, together with the coroutines that
  // refer to them.
  std::set<HttpSession*> sessions_;
  // The number of accepted connections that have no session yet.
  size_t starting_ = 0;
  std::map<boost::asio::ip::address, size_t> connections_;
  HttpAccess access_;
  EventPlaces places_;
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
