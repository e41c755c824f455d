// Which kind of error kept a part from the store, for the metric's label.
#pragma once

#include <absl/status/status.h>

#include "service/metrics/metrics.h"

namespace viewcount {

FlushError FlushErrorOf(const absl::Status& status);

}  // namespace viewcount
