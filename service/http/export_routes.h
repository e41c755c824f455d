// The route for exports of all articles of a site.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/base/clock.h"
#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/query/count_export.h"

namespace viewcount {

// Adds GET …/export for backends: all articles with their counts as CSV or JSON lines. The body is sent in chunks, and
// only a whole one has a last chunk. `store` is the executor of the store, on which `exporter` runs. All must outlive
// the server.
void AddExportRoutes(SiteRoutes& routes, CountExporter& exporter, const ClientTrust& trust,
                     boost::asio::any_io_executor store, const Clock& clock);

}  // namespace viewcount
