#include "service/base/files.h"

#include <filesystem>
#include <memory>

namespace viewcount {
namespace {

absl::Status WriteDraft(Disk& disk, const std::string& path, std::string_view text) {
  auto file = disk.Create(path);
  if (!file.ok()) return file.status();
  if (auto status = (*file)->Write(0, text); !status.ok()) return status;
  return (*file)->Sync();
}

}  // namespace

absl::Status WriteFileDurably(Disk& disk, const std::string& path, std::string_view text) {
  const std::string draft = path + ".new";
  if (auto status = WriteDraft(disk, draft, text); !status.ok()) return status;
  if (auto status = disk.Rename(draft, path); !status.ok()) return status;
  const auto folder = std::filesystem::path(path).parent_path();
  return disk.SyncFolder(folder.empty() ? "." : folder.string());
}

absl::StatusOr<std::string> ReadFile(Disk& disk, const std::string& path) {
  auto file = disk.OpenForReading(path);
  if (!file.ok()) return file.status();
  const auto bytes = (*file)->Size();
  if (!bytes.ok()) return bytes.status();
  std::string text(*bytes, '\0');
  const auto count = (*file)->Read(0, text);
  if (!count.ok()) return count.status();
  text.resize(*count);
  return text;
}

}  // namespace viewcount
