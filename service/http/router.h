// What the HTTP server calls: a table of exact paths for now.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace viewcount {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

// Runs on the server's I/O thread; must not block. Need not set version, keep-alive or content-length.
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

// Built before the server starts, read-only afterwards: thread safe from then on.
class HttpRouter {
 public:
  // `path` begins with '/' and holds no query. A path may be added once.
  void Add(boost::beast::http::verb method, std::string path, HttpHandler handler);

  // Answers unknown paths with 404, known ones with another method with 405 and Allow. HEAD is GET without a body.
  // A handler that throws is answered with 500 and logged.
  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request) const;

 private:
  std::map<std::string, std::map<boost::beast::http::verb, HttpHandler>> routes_;
};

}  // namespace viewcount
