// The routes for queries: counts, popular articles, the site's statistics, and pictures of them.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/http/site_routes.h"
#include "service/query/query_api.h"
#include "service/query/site_stats_reader.h"

namespace viewcount {

// Adds GET …/counts, POST …/counts:batchGet, GET …/popular and GET …/stats. `store` is the executor of the store, on
// which `queries` runs. Both must outlive the server.
void AddQueryRoutes(SiteRoutes& routes, QueryApi& queries, boost::asio::any_io_executor store);

// Adds GET …/odometer.svg and GET …/badge.svg. `stats` also runs on `store`. All must outlive the server.
void AddPictureRoutes(SiteRoutes& routes, QueryApi& queries, SiteStatsReader& stats,
                      boost::asio::any_io_executor store);

}  // namespace viewcount
