// The routes for queries: counts, series, the site's statistics, and single numbers as pictures and as text.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/query/query_api.h"
#include "service/query/site_stats_reader.h"

namespace viewcount {

// Adds GET …/counts, POST …/counts:batchGet, GET …/series and GET …/stats. Only backends may ask for
// series. `store` is the executor of the store, on which `queries` runs. All must outlive the server.
void AddQueryRoutes(SiteRoutes& routes, QueryApi& queries, const ClientTrust& trust,
                    boost::asio::any_io_executor store);

// Adds GET …/odometer.svg, GET …/badge.svg and GET …/count.txt: single numbers. `stats` also runs on `store`. All must
// outlive the server.
void AddNumberRoutes(SiteRoutes& routes, QueryApi& queries, SiteStatsReader& stats, boost::asio::any_io_executor store);

}  // namespace viewcount
