// Routes of sites: finds the site, lets pages of its origins read the answer (CORS), and turns errors into problems.
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

// Has `response` say that pages of the site's origins may read it; `origin` is the request's field, empty if there is
// none. See https://fetch.spec.whatwg.org/#http-cors-protocol
void AllowReading(std::string_view origin, const Site& site, HttpResponse& response);

class SiteRoutes {
 public:
  // What it refers to must outlive the router's use.
  SiteRoutes(HttpRouter& router, const SiteDirectory& sites) : router_(router), sites_(sites) {}

  // Runs as an HttpHandler does.
  using Handler = std::function<boost::asio::awaitable<absl::StatusOr<HttpResponse>>(const HttpRequest&,
                                                                                     std::shared_ptr<const Site>)>;
  struct Options {
    HttpBodyLimit body_limit;
    // Called before a request for a site that does not exist is answered with 404.
    std::function<void()> unknown_site;
  };

  // `path` stands behind HttpRouter::kSitePath. Adds the answer to a browser's preflight as well.
  void Add(boost::beast::http::verb method, const std::string& path, Handler handler, Options options = {});

 private:
  HttpRouter& router_;
  const SiteDirectory& sites_;
};

}  // namespace viewcount
