#include "service/http/site_routes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "service/base/status.h"
#include "service/http/field_names.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;
using http::field;

// Browsers cache the preflight's result for this time. Chromium's maximum is the same.
constexpr char kPreflightSeconds[] = "7200";

HttpResponse Preflight() {
  HttpResponse response;
  response.result(http::status::no_content);
  response.set(field::access_control_allow_methods, "GET, POST");
  response.set(field::access_control_allow_headers, "Content-Type, Last-Event-ID");
  response.set(field::access_control_max_age, kPreflightSeconds);
  return response;
}

std::string_view OriginOf(const HttpRequest& request) { return request[field::origin]; }

}  // namespace

void AllowReading(std::string_view origin, const Site& site, HttpResponse& response) {
  if (site.settings.allowed_origins.empty()) {
    response.set(field::access_control_allow_origin, "*");
  } else {
    response.insert(field::vary, "Origin");
    if (site.Allows(origin)) response.set(field::access_control_allow_origin, origin);
  }
  response.set(field::access_control_expose_headers, "Retry-After");
  // For pages that require all embedded resources to permit embedding.
  response.set("Cross-Origin-Resource-Policy", "cross-origin");
}

void SiteRoutes::Add(http::verb method, const std::string& path, Handler handler, Options options) {
  const std::string route = std::string(HttpRouter::kSitePath) + path;
  router_.Add(
      method, route,
      [this, handler = std::move(handler), parameters = std::move(options.parameters),
       refused = std::move(options.refused)](const HttpRequest& request) -> awaitable<HttpResponse> {
        const auto site = sites_.Find(request.site);
        if (site == nullptr) {
          const absl::Status unknown = sites_.Unknown(request.site);
          if (refused) refused(unknown);
          HttpResponse response = Problem(unknown);
          response.set(field::access_control_allow_origin, "*");
          co_return response;
        }
        HttpResponse response;
        if (const auto status = CheckParameters(request.target(), parameters); !status.ok()) {
          if (refused) refused(status);
          response = Problem(status);
        } else {
          absl::StatusOr<HttpResponse> answer = co_await handler(request, site);
          response = answer.ok() ? *std::move(answer) : Problem(WithHttpNames(answer.status(), parameters));
        }
        AllowReading(OriginOf(request), *site, response);
        co_return response;
      },
      std::move(options.body_limit));
  router_.Add(http::verb::options, route, [this](const HttpRequest& request) -> awaitable<HttpResponse> {
    const auto site = sites_.Find(request.site);
    if (site == nullptr) co_return Problem(sites_.Unknown(request.site));
    HttpResponse response = Preflight();
    AllowReading(OriginOf(request), *site, response);
    co_return response;
  });
}

}  // namespace viewcount
