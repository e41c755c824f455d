// The window of a request, checked.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>

#include "service/sites/site.h"
#include "service/store/count_store.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// All time if unset; a day of the site's calendar, today (at `now_unix_ms`) if its text is empty. INVALID_ARGUMENT
// naming the field; UNIMPLEMENTED for windows that are not built yet.
absl::StatusOr<Window> WindowOf(const v1::Window& window, const Site& site, int64_t now_unix_ms);

}  // namespace viewcount
