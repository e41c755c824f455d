// The answer to the sender of views.
#pragma once

#include "service/http/router.h"
#include "service/model/batch.h"

namespace viewcount {

// Returns RecordViewsResponse as JSON.
HttpResponse ViewsAnswer(const IngestResult& result);

}  // namespace viewcount
