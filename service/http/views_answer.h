// What whoever sent views is told.
#pragma once

#include "service/http/router.h"
#include "service/ingest/batch.h"

namespace viewcount {

// RecordViewsResponse as JSON.
HttpResponse ViewsAnswer(const IngestResult& result);

}  // namespace viewcount
