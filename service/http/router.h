// What the HTTP server calls: a table of paths, some of them of any site.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/http/express.h"

namespace viewcount {

using HttpFields = boost::beast::http::request_header<>;

// A request with what the server knows of it.
struct HttpRequest : boost::beast::http::request<boost::beast::http::string_body> {
  using Message = boost::beast::http::request<boost::beast::http::string_body>;

  HttpRequest() = default;
  HttpRequest(Message request, const boost::asio::ip::address& sender) : Message(std::move(request)), peer(sender) {}

  // Whose connection it is: the client, or a proxy before it.
  boost::asio::ip::address peer;
  // What stands for {site} in the path, as it was sent.
  std::string site;
};

// What a response goes on with for as long as its reader stays: Server-Sent Events.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Waits for the next bytes to send; nothing when there will be none. On the server's I/O thread.
  virtual boost::asio::awaitable<std::optional<std::string>> Next() = 0;
  // Has Next return nothing, soon. Same thread.
  virtual void Close() = 0;
};

struct HttpResponse : boost::beast::http::response<boost::beast::http::string_body> {
  // If set, the body is what it gives, and the connection is closed behind it.
  std::unique_ptr<EventSource> events;
};

// Runs on the server's I/O thread; must not block. Need not set version, keep-alive or content-length. The request
// lives until the response is there.
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

// How many bytes of body a request may have, decided by its fields and its peer before the body is read.
using HttpBodyLimit = std::function<size_t(const HttpFields&, const boost::asio::ip::address&)>;

// Built before the server starts, read-only afterwards: thread safe from then on.
class HttpRouter {
 public:
  // What kSitePath begins with stands for every site: "/v1/sites/{site}/counts".
  static constexpr std::string_view kSitePath = "/v1/sites/{site}";

  // `path` begins with '/' and holds no query. A path and method may be added once. Without `body_limit` the server's
  // own counts.
  void Add(boost::beast::http::verb method, std::string path, HttpHandler handler, HttpBodyLimit body_limit = {});

  // Has the commonest request take a short way. To be called once; `express` answers as a route here does.
  void AddExpress(std::unique_ptr<ExpressRoute> express) { express_ = std::move(express); }
  // Null if there is none. Of the server's thread.
  ExpressRoute* express() const { return express_.get(); }

  // Answers unknown paths with 404, known ones with another method with 405 and Allow. HEAD is GET without a body.
  // A handler that throws is answered with 500 and logged.
  boost::asio::awaitable<HttpResponse> Handle(HttpRequest request) const;

  // The limit of the route that the fields name; nothing if it has none of its own, or there is no such route.
  std::optional<size_t> BodyBytesMax(const HttpFields& fields, const boost::asio::ip::address& peer) const;

  // Every route as "GET /path", in order.
  std::vector<std::string> Routes() const;

 private:
  struct Route {
    HttpHandler handler;
    HttpBodyLimit body_limit;
  };
  using Methods = std::map<boost::beast::http::verb, Route>;

  static std::string AllowedOf(const Methods& methods);

  std::map<std::string, Methods, std::less<>> routes_;
  std::unique_ptr<ExpressRoute> express_;
};

}  // namespace viewcount
