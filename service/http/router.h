// The table of routes that the HTTP server calls. A route belongs to one path, or to that path of every site.
#pragma once

#include <atomic>
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

#include "service/http/fast_path.h"

namespace viewcount {

using HttpFields = boost::beast::http::request_header<>;

// A request with additional facts that the server knows about it.
struct HttpRequest : boost::beast::http::request<boost::beast::http::string_body> {
  using Message = boost::beast::http::request<boost::beast::http::string_body>;

  HttpRequest() = default;
  HttpRequest(Message request, const boost::asio::ip::address& sender) : Message(std::move(request)), peer(sender) {}

  // The other end of the connection: the client, or a proxy in front of it.
  boost::asio::ip::address peer;
  // The part of the path that stands for {site}, as sent.
  std::string site;
};

// The source of a streaming body (Server-Sent Events), which lasts until the reader disconnects. Not thread-safe: used
// on the server's I/O thread only.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Waits for the next bytes to send. Returns nothing when there are no more.
  virtual boost::asio::awaitable<std::optional<std::string>> Next() = 0;
  // Makes Next return nothing soon.
  virtual void Close() = 0;

  // The end of a body that has one.
  struct End {
    // Fields that follow the body, each with its line end.
    std::string trailer;
  };
  // Returns whether the body has an end by which a reader recognises that it is whole. It is then sent in chunks. The
  // last chunk is sent only if TakeEnd returns something after the last call of Next. Otherwise the connection breaks
  // off.
  virtual bool has_end() const { return false; }
  virtual std::optional<End> TakeEnd() { return std::nullopt; }
};

struct HttpResponse : boost::beast::http::response<boost::beast::http::string_body> {
  // If set, the body is what this source returns, and the connection is closed after it.
  std::unique_ptr<EventSource> events;
};

// Runs on the server's I/O thread and must not block. It need not set version, keep-alive or content-length. The
// request lives until the response is complete.
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

// Returns the maximum size of a request's body in bytes. Called with the fields and the peer, before the body is read.
using HttpBodyLimit = std::function<size_t(const HttpFields&, const boost::asio::ip::address&)>;

// The table of routes. It is built before the server starts and is read-only afterwards. From then on it is
// thread-safe, except for fast_path().
class HttpRouter {
 public:
  // A path that begins with kSitePath applies to every site, for example "/v1/sites/{site}/counts".
  static constexpr std::string_view kSitePath = "/v1/sites/{site}";
  // A path that ends with kRest applies to every path below it that has no route of its own. The path before kRest must
  // have at most kPartsBeforeRestMax parts. Such a route has no body limit of its own.
  static constexpr std::string_view kRest = "/{rest}";
  static constexpr size_t kPartsBeforeRestMax = 8;

  // Adds a route. `path` begins with '/' and has no query. Each combination of path and method may be added once.
  // Without `body_limit` the server's limit applies.
  void Add(boost::beast::http::verb method, std::string path, HttpHandler handler, HttpBodyLimit body_limit = {});

  // Sets the fast path for the most common request. Must be called at most once. `fast_path` must answer as the route
  // in this table does.
  void AddFastPath(std::unique_ptr<FastPathRoute> fast_path) { fast_path_ = std::move(fast_path); }
  // Returns the fast path, or null if there is none. Used by the server's thread only.
  FastPathRoute* fast_path() const { return fast_path_.get(); }

  // Adds the routes of another table to this one. May be called once while the server runs; thread-safe. `other` must
  // be complete, and outlive the server.
  void AddTable(const HttpRouter& other) { other_ = &other; }

  // Answers a request. An unknown path gets 404, a known path with another method 405 and Allow. HEAD is GET without a
  // body. If a handler throws, the answer is 500 and the error is logged.
  boost::asio::awaitable<HttpResponse> Handle(HttpRequest request) const;

  // Returns the body limit of the route that the fields name. Returns nothing if the route has no limit or does not
  // exist.
  std::optional<size_t> BodyBytesMax(const HttpFields& fields, const boost::asio::ip::address& peer) const;

 private:
  struct Route {
    HttpHandler handler;
    HttpBodyLimit body_limit;
  };
  using Methods = std::map<boost::beast::http::verb, Route>;

  static std::string AllowedOf(const Methods& methods);

  std::map<std::string, Methods, std::less<>> routes_;
  std::unique_ptr<FastPathRoute> fast_path_;
  std::atomic<const HttpRouter*> other_ = nullptr;
};

}  // namespace viewcount
