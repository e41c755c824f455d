// Live counts over HTTP, as Server-Sent Events.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/http/site_routes.h"
#include "service/query/count_watcher.h"

namespace viewcount {

// Adds GET …/live. `store` is the executor on which `watcher` runs. Both must outlive the server.
void AddLiveRoutes(SiteRoutes& routes, CountWatcher& watcher, boost::asio::any_io_executor store);

}  // namespace viewcount
