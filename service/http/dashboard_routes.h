// The dashboard: a web page with the numbers of all sites, for analysts, editors and operators.
#pragma once

#include "service/http/router.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Returns the dashboard's page. It may load what AddDashboardFiles adds, and nothing else. Thread-safe.
HttpResponse DashboardPage(const HttpRequest& request);

// Adds the files that the page loads.
void AddDashboardFiles(HttpRouter& router);

// Adds GET /v1/sites: the names and time zones of all sites. `sites` must outlive the use of the router.
void AddSiteList(HttpRouter& router, const SiteDirectory& sites);

}  // namespace viewcount
