#include "service/http/dashboard_routes.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "dashboard_css.h"
#include "dashboard_html.h"
#include "dashboard_js.h"
#include "service/http/cached_response.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;

// The page loads nothing from another host, and no other page embeds it.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'";

HttpResponse File(const HttpRequest& request, const char* type, const char* text) {
  HttpResponse response = CachedResponse(request, {.type = type, .body = text}, "no-cache");
  response.set("Content-Security-Policy", kPolicy);
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Referrer-Policy", "no-referrer");
  return response;
}

void AddOne(HttpRouter& router, const char* path, const char* type, const char* text) {
  router.Add(http::verb::get, path, [type, text](const HttpRequest& request) -> awaitable<HttpResponse> {
    co_return File(request, type, text);
  });
}

}  // namespace

HttpResponse DashboardPage(const HttpRequest& request) {
  return File(request, "text/html; charset=utf-8", kDashboardHtml);
}

void AddDashboardFiles(HttpRouter& router) {
  AddOne(router, "/dashboard/dashboard.css", "text/css; charset=utf-8", kDashboardCss);
  AddOne(router, "/dashboard/dashboard.js", "text/javascript; charset=utf-8", kDashboardJs);
}

void AddSiteList(HttpRouter& router, const SiteDirectory& sites) {
  router.Add(http::verb::get, "/v1/sites", [&sites](const HttpRequest&) -> awaitable<HttpResponse> {
    std::vector<std::string> listed;
    for (const auto& site : sites.All()) {
      // Neither contains a character that JSON would have to escape.
      listed.push_back(fmt::format(R"({{"name":"{}","timeZone":"{}"}})", site->name, site->zone.name()));
    }
    HttpResponse response;
    response.set(http::field::content_type, "application/json");
    response.set(http::field::cache_control, "no-store");
    response.body() = fmt::format(R"({{"sites":[{}]}})", fmt::join(listed, ","));
    co_return response;
  });
}

}  // namespace viewcount
