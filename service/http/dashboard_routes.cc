#include "service/http/dashboard_routes.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dashboard_article_js.h"
#include "dashboard_changes_js.h"
#include "dashboard_chart_js.h"
#include "dashboard_css.h"
#include "dashboard_dashboard_js.h"
#include "dashboard_html.h"
#include "dashboard_labels_js.h"
#include "dashboard_list_js.h"
#include "dashboard_parts_js.h"
#include "dashboard_service_js.h"
#include "dashboard_sparklines_js.h"
#include "dashboard_state_js.h"
#include "dashboard_texts_js.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/http/cached_response.h"
#include "service/http/json.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;

// The page loads nothing from another host, and no other page embeds it.
constexpr char kDashboardPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'";
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kStyles[] = "text/css; charset=utf-8";
constexpr char kScript[] = "text/javascript; charset=utf-8";

struct DashboardFile {
  const char* name;
  const char* type;
  const char* text;
  // True if a public dashboard has it.
  bool is_public = true;
};

constexpr std::array<DashboardFile, 12> kDashboardFiles = {{{"dashboard.css", kStyles, kDashboardCss},
                                                            {"article.js", kScript, kDashboardArticleJs},
                                                            {"changes.js", kScript, kDashboardChangesJs, false},
                                                            {"chart.js", kScript, kDashboardChartJs},
                                                            {"dashboard.js", kScript, kDashboardDashboardJs},
                                                            {"labels.js", kScript, kDashboardLabelsJs},
                                                            {"list.js", kScript, kDashboardListJs},
                                                            {"parts.js", kScript, kDashboardPartsJs},
                                                            {"service.js", kScript, kDashboardServiceJs},
                                                            {"sparklines.js", kScript, kDashboardSparklinesJs},
                                                            {"state.js", kScript, kDashboardStateJs},
                                                            {"texts.js", kScript, kDashboardTextsJs}}};

HttpResponse File(const HttpRequest& request, const char* type, const char* text) {
  HttpResponse response = CachedResponse(request, {.type = type, .body = text}, "no-cache");
  response.set("Content-Security-Policy", kDashboardPolicy);
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Referrer-Policy", "no-referrer");
  return response;
}

// Neither name contains a character that JSON would have to escape.
std::string JsonOf(const Site& site) {
  return fmt::format(R"({{"name":"{}","timeZone":"{}"}})", site.name, site.zone.name());
}

HttpResponse JsonText(std::string json) {
  HttpResponse response;
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(json);
  return response;
}

absl::Status CheckPublic(const Site& site) {
  if (site.settings.public_reads) return absl::OkStatus();
  return absl::NotFoundError(fmt::format(
      "the dashboard of site {0} is not public; show it to everybody with: viewcount site put {0} --public-reads",
      site.name));
}

// Adds a route of a public dashboard. `answer(request, site)` is called if the site has one.
template <typename Function>
void AddPublic(SiteRoutes& routes, const std::string& path, std::vector<std::string_view> parameters, Function answer) {
  routes.Add(http::verb::get, path,
             [answer](const HttpRequest& request,
                      std::shared_ptr<const Site> site) -> awaitable<absl::StatusOr<HttpResponse>> {
               if (auto status = CheckPublic(*site); !status.ok()) co_return status;
               co_return answer(request, *site);
             },
             {.parameters = std::move(parameters)});
}

awaitable<absl::StatusOr<HttpResponse>> Describe(ArticleCatalog& catalog, asio::any_io_executor store,
                                                 ArticleReaders readers, const HttpRequest& request,
                                                 std::shared_ptr<const Site> site) {
  if (readers == ArticleReaders::kPublic) {
    if (auto status = CheckPublic(*site); !status.ok()) co_return status;
  }
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) co_return parameters.status();
  const std::string asked = parameters->Find("article").value_or("");
  if (!IsArticleId(asked)) co_return InvalidField("article", kArticleIdRule);
  const std::string id(site->Resolve(asked));
  std::vector<std::string_view> ids = {id};
  auto question = catalog.ReadDetails(site, std::move(ids));
  const ArticleCatalog::Details details = co_await OnStore(store, std::move(question));
  if (!details.complete) {
    co_return RetryLater(absl::StatusCode::kUnavailable, "the store is unavailable", limits::kRetryDelay);
  }
  v1::Article article;
  const ArticleDetails& announced = details.articles.front();
  const bool hidden = announced != nullptr && announced->hidden_from_lists() && readers == ArticleReaders::kPublic;
  if (announced != nullptr && !hidden) article = *announced;
  article.set_article_id(id);
  co_return JsonResponse(article);
}

}  // namespace

HttpResponse DashboardPage(const HttpRequest& request) { return File(request, kHtml, kDashboardHtml); }

void AddDashboardFiles(HttpRouter& router) {
  for (const DashboardFile& file : kDashboardFiles) {
    router.Add(http::verb::get, fmt::format("/dashboard/{}", file.name),
               [file](const HttpRequest& request) -> awaitable<HttpResponse> {
                 co_return File(request, file.type, file.text);
               });
  }
}

void AddSiteList(HttpRouter& router, const SiteDirectory& sites, const OwnPages& own_pages) {
  router.Add(http::verb::get, "/v1/sites", [&sites, &own_pages](const HttpRequest& request) -> awaitable<HttpResponse> {
    if (const auto status = own_pages.CheckRead(request); !status.ok()) co_return Problem(status);
    std::vector<std::string> listed;
    for (const auto& site : sites.All()) listed.push_back(JsonOf(*site));
    co_return JsonText(fmt::format(R"({{"sites":[{}]}})", fmt::join(listed, ",")));
  });
}

void AddPublicDashboard(SiteRoutes& routes) {
  const std::vector<std::string_view> choices = {"page",   "window",  "step", "list", "section",
                                                 "author", "article", "lang", "wall"};
  AddPublic(routes, "/dashboard/", choices,
            [](const HttpRequest& request, const Site&) -> absl::StatusOr<HttpResponse> {
              return File(request, kHtml, kDashboardHtml);
            });
  AddPublic(routes, "/dashboard", {}, [](const HttpRequest&, const Site&) -> absl::StatusOr<HttpResponse> {
    HttpResponse response;
    response.result(http::status::permanent_redirect);
    // Relative, because a proxy may serve this below a folder.
    response.set(http::field::location, "dashboard/");
    return response;
  });
  AddPublic(
      routes, "/dashboard/dashboard/site.json", {},
      [](const HttpRequest&, const Site& site) -> absl::StatusOr<HttpResponse> { return JsonText(JsonOf(site)); });
  for (const DashboardFile& file : kDashboardFiles) {
    if (!file.is_public) continue;
    AddPublic(routes, fmt::format("/dashboard/dashboard/{}", file.name), {},
              [file](const HttpRequest& request, const Site&) -> absl::StatusOr<HttpResponse> {
                return File(request, file.type, file.text);
              });
  }
}

void AddArticleRoute(SiteRoutes& routes, ArticleCatalog& catalog, asio::any_io_executor store, ArticleReaders readers) {
  routes.Add(http::verb::get, "/article",
             [&catalog, store, readers](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return Describe(catalog, store, readers, request, std::move(site));
             },
             {.json = true, .parameters = {"article"}});
}

}  // namespace viewcount
