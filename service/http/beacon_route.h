// Beacons' express way through the server.
#pragma once

#include <memory>

#include "service/http/client_trust.h"
#include "service/http/express.h"
#include "service/http/gate.h"
#include "service/http/visitor.h"
#include "service/ingest/ingestor.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Counts and answers as POST …/views does (view_routes.h). What it refers to must outlive it; for one server.
std::unique_ptr<ExpressRoute> MakeBeaconRoute(const SiteDirectory& sites, Ingestor& ingestor, const ClientTrust& trust,
                                              VisitorFinder& visitors, Gate& gate);

}  // namespace viewcount
