// The fast path of beacons through the server.
#pragma once

#include <memory>

#include "service/http/browser_admission.h"
#include "service/http/client_trust.h"
#include "service/http/fast_path.h"
#include "service/http/page_announcements.h"
#include "service/http/visitor.h"
#include "service/ingest/ingestor.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Returns a route that counts and answers beacons as POST …/views does (view_routes.h). The arguments must outlive it.
// Each server needs its own.
std::unique_ptr<FastPathRoute> MakeBeaconRoute(const SiteDirectory& sites, Ingestor& ingestor, const ClientTrust& trust,
                                               VisitorFinder& visitors, BrowserAdmission& admission,
                                               const PageAnnouncements* pages = nullptr);

}  // namespace viewcount
