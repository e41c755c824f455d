// Routes of sites. They find the site, refuse parameters that they do not know, let pages of its origins read the
// answer (CORS), and turn errors into problems.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/own_pages.h"
#include "service/http/router.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Adds the fields that allow pages of the site's origins to read `response`. `origin` is the field of the request,
// empty if absent. See https://fetch.spec.whatwg.org/#http-cors-protocol
void AllowReading(std::string_view origin, const Site& site, HttpResponse& response);

// The options of a route. A value type.
struct SiteRouteOptions {
  HttpBodyLimit body_limit;
  // True if the answers are JSON: the route then takes `numbers=1`, and ShapeJson applies.
  bool json = false;
  // True if a caller may keep the JSON for a second.
  bool cached = false;
  // The names of the query's parameters. A request with any other one is refused.
  std::vector<std::string_view> parameters;
  // Called with the reason before a request is refused without a call of the handler: NOT_FOUND for a site that does
  // not exist, INVALID_ARGUMENT for a query that the route does not take.
  std::function<void(const absl::Status&)> refused;
};

// Adds the routes of sites to a router. Not thread-safe: used before the server starts. It must outlive the router's
// use, because the routes refer to it.
class SiteRoutes {
 public:
  // With `own_pages`, requests must satisfy OwnPages::CheckRead, and only pages that this server serves itself may read
  // the answers. Without it, pages of the site's origins may (CORS). The arguments must outlive the use of the router.
  SiteRoutes(HttpRouter& router, const SiteDirectory& sites, const OwnPages* own_pages = nullptr)
      : router_(router), sites_(sites), own_pages_(own_pages) {}

  // Runs under the same rules as an HttpHandler.
  using Handler = std::function<boost::asio::awaitable<absl::StatusOr<HttpResponse>>(const HttpRequest&,
                                                                                     std::shared_ptr<const Site>)>;

  // Adds a route. `path` is the part after HttpRouter::kSitePath. Also adds the answer to a browser's preflight, if
  // pages of the site may read.
  void Add(boost::beast::http::verb method, const std::string& path, Handler handler, SiteRouteOptions options = {});

 private:
  HttpRouter& router_;
  const SiteDirectory& sites_;
  const OwnPages* const own_pages_;
};

}  // namespace viewcount
