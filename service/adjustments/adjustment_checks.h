// Checks administrators' requests before any look-up. Pure functions; thread-safe.
#pragma once

#include <absl/status/status.h>

#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Each function returns OK, or INVALID_ARGUMENT with the name of the field.
absl::Status Check(const v1::Provenance& provenance);
absl::Status Check(const v1::SetCountsRequest& request);
absl::Status Check(const v1::DeleteArticlesRequest& request);
absl::Status Check(const v1::MergeArticlesRequest& request);
absl::Status Check(const v1::NormalizeArticlesRequest& request);
absl::Status Check(const v1::ListAdjustmentsRequest& request);
absl::Status Check(const v1::UndoAdjustmentRequest& request);

}  // namespace viewcount
