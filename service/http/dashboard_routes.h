// The dashboard: a web page with the numbers of all sites, for analysts, editors and operators. A site may show its own
// to everybody.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/articles/article_catalog.h"
#include "service/http/own_pages.h"
#include "service/http/router.h"
#include "service/http/site_routes.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Returns the dashboard's page. It may load what AddDashboardFiles adds, and nothing else. Thread-safe.
HttpResponse DashboardPage(const HttpRequest& request);

// Adds the files that the page loads.
void AddDashboardFiles(HttpRouter& router);

// Adds GET /v1/sites: the names and time zones of all sites. Requests must satisfy OwnPages::CheckRead. The arguments
// must outlive the use of the router.
void AddSiteList(HttpRouter& router, const SiteDirectory& sites, const OwnPages& own_pages);

// Adds …/dashboard/, the dashboard of one site for everybody, and the files that it loads. They are NOT_FOUND unless
// the site has `public_reads`. The page asks for what the other routes answer to strangers, and changes nothing.
void AddPublicDashboard(SiteRoutes& routes);

// The callers of GET …/article.
enum class ArticleReaders : uint8_t { kOperators, kPublic };
// Adds GET …/article: what was announced about an article, a viewcount.v1.Article. For the public it is NOT_FOUND
// unless the site has `public_reads`, and empty for an article that is hidden from lists. `catalog` runs on `store`,
// and must outlive the use of the routes.
void AddArticleRoute(SiteRoutes& routes, ArticleCatalog& catalog, boost::asio::any_io_executor store,
                     ArticleReaders readers);

}  // namespace viewcount
