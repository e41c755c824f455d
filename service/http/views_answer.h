// The answer to the sender of views.
#pragma once

#include <string_view>

#include "service/http/router.h"
#include "service/model/batch.h"

namespace viewcount {

// Returns RecordViewsResponse as JSON. `hint` is the field of that name.
HttpResponse ViewsAnswer(const IngestResult& result, std::string_view hint = {});

}  // namespace viewcount
