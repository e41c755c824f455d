// One HTTP/1.1 connection: reads a request, has it answered, and so on while the peer keeps it alive.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>

#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

// Not thread safe: everything runs on the socket's executor, which must be a single thread. Must outlive Run.
class HttpSession {
 public:
  // `router` and `limits` must outlive the session.
  HttpSession(boost::asio::ip::tcp::socket socket, const HttpRouter& router, const HttpLimits& limits);

  // Serves until the peer leaves, breaks a rule or a limit, or Finish is called. Throws nothing that a peer can cause.
  boost::asio::awaitable<void> Run();

  // Ends the session: at once while it waits for or reads a request, otherwise after the answer under way.
  void Finish();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // Waits for a request's first byte; false when there will be none.
  boost::asio::awaitable<bool> AwaitRequest();
  // Reads one request into `parser`. The answer that refuses it, if it cannot be read but the peer can be told; on
  // a connection that is gone `gone_` is set instead.
  boost::asio::awaitable<std::optional<HttpResponse>> Read(Parser& parser);
  // Returns false when the connection is gone.
  boost::asio::awaitable<bool> Write(HttpResponse response, unsigned version, bool keep_alive, bool head);
  // Closes so that the peer gets to read what was written last.
  boost::asio::awaitable<void> Linger();

  boost::beast::tcp_stream stream_;
  const HttpRouter& router_;
  const HttpLimits& limits_;
  boost::beast::flat_buffer buffer_;
  bool answering_ = false;
  bool finishing_ = false;
  bool gone_ = false;
};

}  // namespace viewcount
