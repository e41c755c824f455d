// The routes for lists of articles.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/query/list_api.h"

namespace viewcount {

// Adds GET …/popular, …/trending, …/rising, …/now, …/articles, …/popular.rss and …/popular.json. `store` is the
// executor of the store, on which `lists` runs. All must outlive the server.
void AddListRoutes(SiteRoutes& routes, ListApi& lists, const ClientTrust& trust, boost::asio::any_io_executor store);

}  // namespace viewcount
