// Classifies the errors that keep a part from the store, for the label of a metric.
#pragma once

#include <absl/status/status.h>

#include "service/metrics/metrics.h"

namespace viewcount {

// Returns the kind of an error of CountStore. `status` must not be OK. Thread-safe.
FlushError FlushErrorOf(const absl::Status& status);

}  // namespace viewcount
