#include "service/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "service/base/unique_fd.h"

namespace viewcount {
namespace {

absl::Status ErrnoStatus(std::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = fmt::format("cannot {} {}: {}", what, path, std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
}

absl::Status WriteAll(const std::string& path, std::string_view text) {
  const UniqueFd file = OpenAboveStandard(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.valid()) return ErrnoStatus("write", path);
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("write", path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.get()) != 0) return ErrnoStatus("sync", path);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFileDurably(const std::string& path, std::string_view text) {
  const std::string draft = path + ".new";
  if (auto status = WriteAll(draft, text); !status.ok()) return status;
  if (std::rename(draft.c_str(), path.c_str()) != 0) return ErrnoStatus("replace", path);
  const std::string folder = std::filesystem::path(path).parent_path();
  const UniqueFd parent = OpenAboveStandard(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (!parent.valid() || fsync(parent.get()) != 0) return ErrnoStatus("sync", folder);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const UniqueFd file = OpenAboveStandard(path.c_str(), O_RDONLY);
  if (!file.valid()) return ErrnoStatus("read", path);
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus("read", path);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  const mode_t mask = umask(0077);
  std::filesystem::create_directories(path, error);
  umask(mask);
  if (!error && access(path.c_str(), W_OK | X_OK) != 0) error = std::error_code(errno, std::generic_category());
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("cannot write to {}: {}; give a folder of this user's with --data-dir", path, error.message()));
  }
  return absl::OkStatus();
}

}  // namespace viewcount
