#include "service/http/admin_routes.h"

#include <string_view>
#include <utility>

#include "service/base/log.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;

constexpr char kIndex[] =
    "viewcountd\n\n"
    "/         the dashboard, in a browser\n"
    "/metrics  numbers for Prometheus\n"
    "/healthz  200 while all threads move, else 503 with the reason: restart it\n"
    "/readyz   200 when it can take and answer requests, else 503 with the reason\n";

HttpResponse Text(std::string body, const char* type = "text/plain; charset=utf-8") {
  HttpResponse response;
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(body);
  return response;
}

}  // namespace

void AddAdminRoutes(HttpRouter& router, AdminSources sources) {
  router.Add(http::verb::get, "/",
             [page = std::move(sources.page)](const HttpRequest& request) -> awaitable<HttpResponse> {
               const std::string_view accepted = request[http::field::accept];
               if (page && accepted.find("text/html") != std::string_view::npos) co_return page(request);
               co_return Text(kIndex);
             });
  router.Add(http::verb::get, "/healthz",
             [why_not = std::move(sources.why_not_healthy)](const HttpRequest&) -> awaitable<HttpResponse> {
               const auto reason = why_not ? why_not() : std::nullopt;
               if (!reason) co_return Text("ok\n");
               auto response = Text("not healthy: " + EscapeForText(*reason) + "\n");
               response.result(http::status::service_unavailable);
               co_return response;
             });
  router.Add(http::verb::get, "/metrics",
             [metrics = std::move(sources.metrics)](const HttpRequest&) -> awaitable<HttpResponse> {
               co_return Text(metrics(), "text/plain; version=0.0.4; charset=utf-8");
             });
  router.Add(http::verb::get, "/readyz",
             [why_not = std::move(sources.why_not_ready)](const HttpRequest&) -> awaitable<HttpResponse> {
               const auto reason = why_not();
               if (!reason) co_return Text("ready\n");
               auto response = Text("not ready: " + EscapeForText(*reason) + "\n");
               response.result(http::status::service_unavailable);
               co_return response;
             });
}

}  // namespace viewcount
