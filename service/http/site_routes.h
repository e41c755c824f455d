// Routes of sites. They find the site, let pages of its origins read the answer (CORS), and turn errors into problems.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "service/http/router.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Adds the fields that allow pages of the site's origins to read `response`. `origin` is the field of the request,
// empty if absent. See https://fetch.spec.whatwg.org/#http-cors-protocol
void AllowReading(std::string_view origin, const Site& site, HttpResponse& response);

// Adds the routes of sites to a router. Not thread-safe: used before the server starts. It must outlive the router's
// use, because the routes refer to it.
class SiteRoutes {
 public:
  // The arguments must outlive the use of the router.
  SiteRoutes(HttpRouter& router, const SiteDirectory& sites) : router_(router), sites_(sites) {}

  // Runs under the same rules as an HttpHandler.
  using Handler = std::function<boost::asio::awaitable<absl::StatusOr<HttpResponse>>(const HttpRequest&,
                                                                                     std::shared_ptr<const Site>)>;
  struct Options {
    HttpBodyLimit body_limit;
    // Called before a request for a site that does not exist is answered with 404.
    std::function<void()> unknown_site;
  };

  // Adds a route. `path` is the part after HttpRouter::kSitePath. Also adds the answer to a browser's preflight.
  void Add(boost::beast::http::verb method, const std::string& path, Handler handler, Options options = {});

 private:
  HttpRouter& router_;
  const SiteDirectory& sites_;
};

}  // namespace viewcount
