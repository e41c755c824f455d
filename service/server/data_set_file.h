// Which data a directory belongs to: <data-dir>/DATASET, the data set's ID.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

// None for a directory that has not met a store yet. FAILED_PRECONDITION for a file that holds no ID.
absl::StatusOr<DataSetId> ReadDataSet(Disk& disk, const std::string& data_dir);
absl::Status WriteDataSet(Disk& disk, const std::string& data_dir, DataSetId id);

}  // namespace viewcount
