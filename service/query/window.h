// Checks the window of a request.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>

#include "service/model/window.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Returns all time if `window` is unset. Returns a day of the site's calendar; an empty text means today (at
// `now_unix_ms`). INVALID_ARGUMENT naming the field; UNIMPLEMENTED for windows that are not built yet. Thread-safe.
absl::StatusOr<Window> WindowOf(const v1::Window& window, const Site& site, int64_t now_unix_ms);

}  // namespace viewcount
