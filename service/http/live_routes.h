// Live counts over HTTP, as Server-Sent Events.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "service/http/client_trust.h"
#include "service/http/site_routes.h"
#include "service/http/visitor.h"
#include "service/query/count_watcher.h"
#include "service/query/online_readers.h"

namespace viewcount {

// Reads what the first message of a stream would have. Returns nothing if the counts cannot be read. The request must
// live until then.
using FirstCounts = std::function<boost::asio::awaitable<std::optional<v1::WatchCountsResponse>>(
    std::shared_ptr<const Site>, const v1::WatchCountsRequest&)>;

// `store` is the executor on which `watcher` runs. Both must outlive the function's use.
FirstCounts FirstCountsOf(CountWatcher& watcher, boost::asio::any_io_executor store);

// The objects that live routes use. All of them must outlive the server.
struct LiveRouteDependencies {
  CountWatcher& watcher;
  const ClientTrust& trust;
  VisitorFinder& visitors;
  OnlineReaders& online;
  // The executor on which `watcher` runs.
  boost::asio::any_io_executor store;
};

// Adds GET …/live. A person whose stream is open counts as online.
void AddLiveRoutes(SiteRoutes& routes, const LiveRouteDependencies& parts);

}  // namespace viewcount
