#include "service/http/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <set>

#include "service/base/check.h"
#include "service/base/log.h"
#include "service/base/log_throttle.h"
#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;

// Long enough to recognise a path in an error message. The path is the sender's text, so it is truncated.
constexpr size_t kQuotedPathBytesMax = 200;
constexpr std::string_view kSites = "/v1/sites/";

// A path as the table of routes contains it, and the site in it.
struct Path {
  std::string route;
  std::string_view site;
};

Path PathOf(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with(kSites)) return {std::string(path), {}};
  const std::string_view rest = path.substr(kSites.size());
  const size_t end = rest.find('/');
  if (end == std::string_view::npos) return {std::string(path), {}};
  return {fmt::format("{}{}", HttpRouter::kSitePath, rest.substr(end)), rest.substr(0, end)};
}

// Returns the route for a path: its own, or else the one with the longest beginning before kRest. Returns end() if
// there is none.
template <typename Routes>
typename Routes::const_iterator RouteOf(const Routes& routes, std::string_view path) {
  const auto own = routes.find(path);
  if (own != routes.end()) return own;
  auto found = routes.end();
  size_t at = path.find('/', 1);
  for (size_t parts = 0; at != std::string_view::npos && parts < HttpRouter::kPartsBeforeRestMax; ++parts) {
    const auto below = routes.find(fmt::format("{}{}", path.substr(0, at), HttpRouter::kRest));
    if (below != routes.end()) found = below;
    at = path.find('/', at + 1);
  }
  return found;
}

std::string_view TargetOf(const HttpFields& fields) { return {fields.target().data(), fields.target().size()}; }

HttpResponse Failed() {
  return Problem(http::status::internal_server_error, "the service failed to answer; its log says why");
}

awaitable<HttpResponse> Call(const HttpHandler& handler, const HttpRequest& request) {
  try {
    co_return co_await handler(request);
  } catch (const std::exception& error) {
    static LogThrottle lines;
    if (!lines.Take()) co_return Failed();
    spdlog::error("an HTTP handler failed path={} error={}", EscapeForText(PathOf(TargetOf(request)).route),
                  EscapeForText(error.what()));
  }
  co_return Failed();
}

}  // namespace

std::string HttpRouter::AllowedOf(const Methods& methods) {
  std::set<std::string> names;
  for (const auto& [method, route] : methods) {
    names.insert(std::string(http::to_string(method)));
    if (method == http::verb::get) names.insert("HEAD");
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void HttpRouter::Add(http::verb method, std::string path, HttpHandler handler, HttpBodyLimit body_limit) {
  VIEWCOUNT_CHECK(path.starts_with('/') && path.find('?') == std::string::npos);
  VIEWCOUNT_CHECK(!path.starts_with(kSites) || path.starts_with(kSitePath));
  const bool below = path.ends_with(kRest);
  VIEWCOUNT_CHECK(!below || (!body_limit && std::ranges::count(path, '/') <= std::ptrdiff_t{kPartsBeforeRestMax} + 1));
  VIEWCOUNT_CHECK(routes_[std::move(path)].emplace(method, Route{std::move(handler), std::move(body_limit)}).second);
}

awaitable<HttpResponse> HttpRouter::Handle(HttpRequest request) const {
  const bool head = request.method() == http::verb::head;
  const Path path = PathOf(TargetOf(request));
  request.site = path.site;
  HttpResponse response;
  const auto found = RouteOf(routes_, path.route);
  const HttpRouter* const other = other_;
  if (found == routes_.end() && other != nullptr) co_return co_await other->Handle(std::move(request));
  if (found == routes_.end()) {
    response =
        Problem(http::status::not_found, fmt::format("there is no {}", path.route.substr(0, kQuotedPathBytesMax)));
  } else {
    const Methods& methods = found->second;
    auto route = methods.find(request.method());
    if (route == methods.end() && head) route = methods.find(http::verb::get);
    if (route != methods.end()) {
      response = co_await Call(route->second.handler, request);
    } else {
      const std::string allowed = AllowedOf(methods);
      response = Problem(http::status::method_not_allowed, fmt::format("{} takes {} only", found->first, allowed));
      response.set(http::field::allow, allowed);
    }
  }
  if (head) {
    // The length is that of the body that GET would send.
    if (response.events == nullptr) response.content_length(response.body().size());
    response.events = nullptr;
    response.body().clear();
  }
  co_return response;
}

std::optional<size_t> HttpRouter::BodyBytesMax(const HttpFields& fields, const boost::asio::ip::address& peer) const {
  const auto methods = routes_.find(PathOf(TargetOf(fields)).route);
  if (methods == routes_.end()) return std::nullopt;
  const auto route = methods->second.find(fields.method());
  if (route == methods->second.end() || !route->second.body_limit) return std::nullopt;
  return route->second.body_limit(fields, peer);
}

}  // namespace viewcount
