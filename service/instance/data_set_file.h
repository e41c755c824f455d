// Reads and writes <data-dir>/DATASET, the ID of the data set to which a data directory belongs.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "service/base/disk.h"
#include "service/base/identifiers.h"

namespace viewcount {

// Returns the ID, or none for a directory that has not been used with a store yet. FAILED_PRECONDITION if the file
// holds no ID.
absl::StatusOr<DataSetId> ReadDataSet(Disk& disk, const std::string& data_dir);
// Writes the ID durably.
absl::Status WriteDataSet(Disk& disk, const std::string& data_dir, DataSetId id);

}  // namespace viewcount
