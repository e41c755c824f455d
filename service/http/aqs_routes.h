// Routes in the form of the Wikimedia Analytics Query Service (AQS), for its existing clients.
#pragma once

#include "service/http/reader_rules.h"
#include "service/http/router.h"

namespace viewcount {

// Adds GET /api/rest_v1/metrics/pageviews/per-article/…, …/aggregate/… and …/top/…. A project is a site, and an article
// is an article's ID. The answers have the views of people. As in AQS, times without views are left out, and an answer
// without any is 404. Errors are problems with AQS's fields `method` and `uri`.
//
// The field Viewcount-Exact of an answer is `false` if the list may lack an article. Everything that `parts` refers to
// must outlive the server.
void AddAqsRoutes(HttpRouter& router, const ReaderParts& parts);

}  // namespace viewcount
