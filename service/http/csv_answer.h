// Answers that a caller may have as CSV.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/http/parameters.h"
#include "service/http/router.h"

namespace viewcount {

// Returns whether the caller asks for CSV by `format=csv`. `format=json` is the default. INVALID_ARGUMENT names
// `format`.
absl::StatusOr<bool> AsksForCsv(const Parameters& parameters);
// Returns an answer with this text. It forbids caching.
HttpResponse CsvResponse(std::string text);

}  // namespace viewcount
