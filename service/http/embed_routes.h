// Popular lists for other pages: what an embedded page is, and oEmbed (https://oembed.com), by which editors of other
// systems embed it from its address.
#pragma once

#include <string>
#include <string_view>

#include "service/http/router.h"
#include "service/http/site_routes.h"
#include "service/sites/site.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// The path of embedded pages after HttpRouter::kSitePath.
inline constexpr std::string_view kEmbedPath = "/embed/popular";

// Returns the origin under which the request asks for this service, such as https://count.example.org. `tls` is true if
// the port serves HTTPS itself. A proxy says in X-Forwarded-Proto if it does. Empty without a host.
std::string ServiceOrigin(const HttpRequest& request, bool tls);
// Returns the value of Content-Security-Policy for an embedded page: the site's origins may show it in a frame.
std::string EmbedPolicy(const Site& site);
// Returns the address of the oEmbed description of the page that the request asks for.
std::string OembedAddress(const HttpRequest& request, bool tls);

// Adds GET …/embed/embed.css to the routes of sites, and GET /v1/oembed to `router`. The arguments must outlive the
// router's use.
void AddEmbedRoutes(HttpRouter& router, SiteRoutes& routes, const SiteDirectory& sites);

}  // namespace viewcount
