#include "service/http/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <set>
#include <string_view>

#include "service/base/check.h"
#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;

// Enough to recognise a path in an error; it is the sender's text.
constexpr size_t kQuotedPathBytesMax = 200;

std::string_view PathOf(const HttpRequest& request) {
  const std::string_view target(request.target().data(), request.target().size());
  return target.substr(0, target.find('?'));
}

std::string AllowedOf(const std::map<http::verb, HttpHandler>& handlers) {
  std::set<std::string> names;
  for (const auto& [method, handler] : handlers) {
    names.insert(std::string(http::to_string(method)));
    if (method == http::verb::get) names.insert("HEAD");
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

awaitable<HttpResponse> Call(const HttpHandler& handler, const HttpRequest& request) {
  try {
    co_return co_await handler(request);
  } catch (const std::exception& error) {
    spdlog::error("an HTTP handler failed path={} error={}", PathOf(request), error.what());
  }
  co_return Problem(http::status::internal_server_error, "the service failed to answer; its log says why");
}

}  // namespace

void HttpRouter::Add(http::verb method, std::string path, HttpHandler handler) {
  VIEWCOUNT_CHECK(path.starts_with('/') && path.find('?') == std::string::npos);
  VIEWCOUNT_CHECK(routes_[std::move(path)].emplace(method, std::move(handler)).second);
}

awaitable<HttpResponse> HttpRouter::Handle(const HttpRequest& request) const {
  const bool head = request.method() == http::verb::head;
  const std::string path(PathOf(request));
  HttpResponse response;
  if (const auto route = routes_.find(path); route == routes_.end()) {
    response = Problem(http::status::not_found, fmt::format("there is no {}", path.substr(0, kQuotedPathBytesMax)));
  } else {
    const auto& handlers = route->second;
    auto handler = handlers.find(request.method());
    if (handler == handlers.end() && head) handler = handlers.find(http::verb::get);
    if (handler != handlers.end()) {
      response = co_await Call(handler->second, request);
    } else {
      const std::string allowed = AllowedOf(handlers);
      response = Problem(http::status::method_not_allowed, fmt::format("{} takes {} only", path, allowed));
      response.set(http::field::allow, allowed);
    }
  }
  if (head) {
    // The length is that of the body that GET would have.
    response.content_length(response.body().size());
    response.body().clear();
  }
  co_return response;
}

}  // namespace viewcount
