// Views over HTTP: beacons and pixels of browsers, and batches of backends.
#pragma once

#include "service/http/browser_admission.h"
#include "service/http/client_trust.h"
#include "service/http/live_routes.h"
#include "service/http/page_announcements.h"
#include "service/http/site_routes.h"
#include "service/http/visitor.h"
#include "service/ingest/ingestor.h"

namespace viewcount {

// Adds POST …/views and GET …/pixel.gif, with the second names …/numbers and …/dot.gif. Both answer when the views are
// durable. The viewer is determined here, except where a trusted backend names it. A prefetch of a browser, or a
// request from an excluded address, gets the same answer but counts nothing.
//
// A POST whose query has parameters of /live is also answered with the counts that these ask for. They contain the
// views just counted.
//
// If `pages` wants a page to announce itself, the answer to a browser's view has `"describe":true`. Null for none.
//
// All arguments must outlive the server. Views that wait for a lane when the server stops are counted,
// but their requests get no answer.
void AddViewRoutes(SiteRoutes& routes, Ingestor& ingestor, const ClientTrust& trust, VisitorFinder& visitors,
                   BrowserAdmission& admission, FirstCounts counts, PageAnnouncements* pages = nullptr);

}  // namespace viewcount
