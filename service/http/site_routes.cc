#include "service/http/site_routes.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "service/base/status.h"
#include "service/http/field_names.h"
#include "service/http/json_form.h"
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

void SiteRoutes::Add(http::verb method, const std::string& path, Handler handler, SiteRouteOptions options) {
  if (options.json) options.parameters.push_back(kNumbersParameter);
  const std::string route = std::string(HttpRouter::kSitePath) + path;
  router_.Add(
      method, route,
      [this, handler = std::move(handler), parameters = std::move(options.parameters), json = options.json,
       cached = options.cached,
       refused = std::move(options.refused)](const HttpRequest& request) -> awaitable<HttpResponse> {
        if (own_pages_ != nullptr) {
          if (const auto status = own_pages_->CheckRead(request); !status.ok()) co_return Problem(status);
        }
        const auto site = sites_.Find(request.site);
        if (site == nullptr) {
          const absl::Status unknown = sites_.Unknown(request.site);
          if (refused) refused(unknown);
          HttpResponse response = Problem(unknown);
          if (own_pages_ == nullptr) response.set(field::access_control_allow_origin, "*");
          co_return response;
        }
        HttpResponse response;
        if (const auto status = CheckParameters(request.target(), parameters); !status.ok()) {
          if (refused) refused(status);
          response = Problem(status);
        } else {
          absl::StatusOr<HttpResponse> answer = co_await handler(request, site);
          absl::Status shaped = answer.status();
          if (answer.ok()) {
            response = *std::move(answer);
            if (json) shaped = ShapeJson(request, cached, response);
          }
          if (!shaped.ok()) {
            // A POST names its articles in the body.
            const bool in_body = request.method() == http::verb::post;
            const std::span<const std::string_view> names(parameters.data(), in_body ? 0 : parameters.size());
            response = Problem(WithHttpNames(shaped, names));
          }
        }
        if (own_pages_ == nullptr) AllowReading(OriginOf(request), *site, response);
        co_return response;
      },
      std::move(options.body_limit));
  if (own_pages_ != nullptr) return;
  router_.Add(http::verb::options, route, [this](const HttpRequest& request) -> awaitable<HttpResponse> {
    const auto site = sites_.Find(request.site);
    if (site == nullptr) co_return Problem(sites_.Unknown(request.site));
    HttpResponse response = Preflight();
    AllowReading(OriginOf(request), *site, response);
    co_return response;
  });
}

}  // namespace viewcount
