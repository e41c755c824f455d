// Views over HTTP: browsers' beacons and pixels, and backends' batches.
#pragma once

#include "service/http/client_trust.h"
#include "service/http/gate.h"
#include "service/http/site_routes.h"
#include "service/http/visitor.h"
#include "service/ingest/ingestor.h"

namespace viewcount {

// Adds POST …/views and GET …/pixel.gif, both answered when the views are durable. Whose they are is found out, except
// where a trusted backend says it. What a browser asks ahead, or comes from an excluded address, is answered in the
// same way, and counts nothing. All but `routes` must outlive the server; what waits for a lane when the server stops
// is answered by nobody, but counted.
void AddViewRoutes(SiteRoutes& routes, Ingestor& ingestor, const ClientTrust& trust, VisitorFinder& visitors,
                   Gate& gate);

}  // namespace viewcount
