// What is the same for everybody: the script, the description of the interface, and the pages of a demo.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "service/http/router.h"

namespace viewcount {

// Adds GET / (what there is), /count.js and /openapi.yaml.
void AddFileRoutes(HttpRouter& router);

// Reads every file below `directory` and serves it below /demo/, index.html for a folder; later changes are not seen.
// NOT_FOUND, FAILED_PRECONDITION (too large, no regular file) in one line.
absl::Status AddDemoRoutes(HttpRouter& router, const std::string& directory);

}  // namespace viewcount
