// Views over HTTP: browsers' beacons and pixels, and backends' batches.
#pragma once

#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/ingest/ingestor.h"

namespace viewcount {

// Adds POST …/views and GET …/pixel.gif, both answered when the views are durable. Ingestor and trust must outlive the
// server; what waits for a lane when the server stops is answered by nobody, but counted.
void AddViewRoutes(SiteRoutes& routes, Ingestor& ingestor, const ClientTrust& trust);

}  // namespace viewcount
