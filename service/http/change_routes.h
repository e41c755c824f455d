// The dashboard's changes: administrators' adjustments, and annotations. For the admin address only.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/adjustments/adjuster.h"
#include "service/annotations/annotations.h"
#include "service/http/own_pages.h"
#include "service/http/site_routes.h"

namespace viewcount {

// Adds GET …/adjustments and …/annotations, and POST …/counts:set, …/articles:merge, …/articles:delete,
// …/adjustments:undo, …/annotations:put and …/annotations:delete. Bodies and answers are the messages of AdminService
// as JSON. Each POST must satisfy OwnPages::CheckChange. The author of a change is "dashboard: " and the name in the
// request, and a reason is required.
//
// `adjuster` and `annotations` run on `store`. All arguments must outlive the use of the routes.
void AddChangeRoutes(SiteRoutes& routes, const OwnPages& own_pages, Adjuster& adjuster, Annotations& annotations,
                     boost::asio::any_io_executor store);

}  // namespace viewcount
