#include "service/instance/data_set_file.h"

#include <fmt/format.h>

#include "service/base/files.h"

namespace viewcount {
namespace {

std::string PathIn(const std::string& data_dir) { return data_dir + "/DATASET"; }

}  // namespace

absl::StatusOr<DataSetId> ReadDataSet(Disk& disk, const std::string& data_dir) {
  const auto text = ReadFile(disk, PathIn(data_dir));
  if (absl::IsNotFound(text.status())) return DataSetId();
  if (!text.ok()) return text.status();
  const auto id = IdFromHex<DataSetId>(std::string_view(*text).substr(0, 32));
  if (!id) {
    return absl::FailedPreconditionError(fmt::format("{} holds no data set ID; restore it", PathIn(data_dir)));
  }
  return *id;
}

absl::Status WriteDataSet(Disk& disk, const std::string& data_dir, DataSetId id) {
  return WriteFileDurably(disk, PathIn(data_dir), ToHex(id) + "\n");
}

}  // namespace viewcount
