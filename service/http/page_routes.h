// The route on which pages announce themselves.
#pragma once

#include "service/http/browser_admission.h"
#include "service/http/client_trust.h"
#include "service/http/page_announcements.h"
#include "service/http/site_routes.h"

namespace viewcount {

// Adds POST …/pages, which takes a viewcount.v1.PageAnnouncement. It is NOT_FOUND unless the site has
// `page_announcements`. Only pages of the site's origins may send it, and only about the article that the page's own
// address names by the site's rule. The budgets are those of views (BrowserAdmission). All arguments must outlive the
// use of the routes.
void AddPageRoutes(SiteRoutes& routes, PageAnnouncements& pages, const ClientTrust& trust, BrowserAdmission& admission);

}  // namespace viewcount
