// Files that are the same for every visitor: the scripts, the API description, and the pages of a demo.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "service/http/router.h"

namespace viewcount {

// Adds GET / (an index), /openapi.yaml and two scripts. /count.js is also /numbers.js, which content blockers do not
// know. /lists.js, which count.js loads, is also /more.js. All four names also exist with the script's version, as
// /count.VERSION.js.
void AddFileRoutes(HttpRouter& router);

// Reads every file below `directory` and serves it below /demo/. A folder's address serves its index.html. Later
// changes of the files have no effect. Returns NOT_FOUND if files cannot be read or there are none, FAILED_PRECONDITION
// if they exceed a limit. The message has one line.
absl::Status AddDemoRoutes(HttpRouter& router, const std::string& directory);

}  // namespace viewcount
