// One HTTP/1.1 connection: reads a request, has it answered, and so on while the peer keeps it alive.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "service/base/clock.h"
#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

// Not thread safe: everything runs on the socket's executor, which must be a single thread. Must outlive Run.
class HttpSession {
 public:
  // With TLS if `tls` is not null. `tls`, `router` and `limits` must outlive the session.
  static std::unique_ptr<HttpSession> Make(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                                           const HttpRouter& router, const HttpLimits& limits);
  virtual ~HttpSession() = default;

  // Serves until the peer leaves, breaks a rule or a limit, or Finish is called. Throws nothing that a peer can cause.
  virtual boost::asio::awaitable<void> Run() = 0;

  // The server stops. Streams of events end at once. The next answer ends the session; without
  // HttpLimits::drain_idle_timeout there is none, and a session without an answer under way ends at once.
  virtual void Finish() = 0;

  // After Finish: ends the session at once unless an answer is under way or a request has just come.
  virtual void EndWait() = 0;

  // Ends the session at once if what it waits for from its peer has not come in time. To be called now and then.
  virtual void CloseIfLate(SteadyTime now) = 0;
};

}  // namespace viewcount
