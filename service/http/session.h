// One HTTP/1.1 connection. It reads requests and writes their answers while the peer keeps the connection open.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "service/base/clock.h"
#include "service/http/event_places.h"
#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

// Not thread-safe: everything runs on the socket's executor, which must be run by a single thread. Must outlive Run.
class HttpSession {
 public:
  // Creates a session, with TLS if `tls` is not null. `shared` says that many clients use the peer's address. All other
  // arguments must outlive the session.
  static std::unique_ptr<HttpSession> Make(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                                           const HttpRouter& router, const HttpLimits& limits, EventPlaces& places,
                                           bool shared);
  virtual ~HttpSession() = default;

  // Serves until the peer disconnects, breaks a rule or a limit, or Finish is called. Peers cannot cause exceptions.
  virtual boost::asio::awaitable<void> Run() = 0;

  // Prepares for the server's stop. Event streams end immediately. The session ends after its next answer. Without
  // HttpLimits::drain_idle_timeout it does not wait for another request, and ends immediately if no answer is under
  // way.
  virtual void Finish() = 0;

  // Ends the session immediately, unless an answer is under way or a request has just arrived. Must be called after
  // Finish.
  virtual void EndWait() = 0;

  // Ends the session immediately if its peer has missed a deadline. Must be called periodically.
  virtual void CloseIfLate(SteadyTime now) = 0;
};

}  // namespace viewcount
