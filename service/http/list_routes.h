// The routes for lists of articles.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/query/list_api.h"

namespace viewcount {

// Adds GET …/popular, …/trending, …/rising, …/now, …/articles, …/popular.rss, …/popular.json and …/embed/popular.
// `store` is the executor of the store, on which `lists` runs. `tls` is true if the port serves HTTPS itself. All must
// outlive the server.
void AddListRoutes(SiteRoutes& routes, ListApi& lists, const ClientTrust& trust, boost::asio::any_io_executor store,
                   bool tls = false);

}  // namespace viewcount
