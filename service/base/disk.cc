#include "service/base/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "service/base/status.h"
#include "service/base/unique_fd.h"

namespace viewcount {
namespace {

absl::Status ErrnoStatus(int error, std::string_view what, const std::string& path) {
  const std::string message = fmt::format("cannot {} {}: {}", what, path, std::generic_category().message(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    case ENOENT:
      return absl::NotFoundError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

// The maximum number of pieces for one system call. It keeps the vectors small enough for the stack.
constexpr size_t kPiecesAtOnce = 256;
static_assert(kPiecesAtOnce <= IOV_MAX);

class PosixFile final : public DiskFile {
 public:
  PosixFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) override {
    size_t total = 0;
    while (total < out.size()) {
      const ssize_t count =
          pread(fd_.get(), out.data() + total, out.size() - total, static_cast<off_t>(offset + total));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoStatus(errno, "read", path_);
      if (count == 0) break;
      total += static_cast<size_t>(count);
    }
    return total;
  }

  absl::Status Write(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoStatus(errno, "write", path_);
      bytes.remove_prefix(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return absl::OkStatus();
  }

  absl::Status WriteGathered(uint64_t offset, std::span<const std::string_view> pieces) override {
    // The number of bytes of the first piece that are already written.
    size_t done = 0;
    while (!pieces.empty()) {
      std::array<iovec, kPiecesAtOnce> vectors;
      const size_t count = std::min(pieces.size(), vectors.size());
      for (size_t i = 0; i < count; ++i) {
        const std::string_view rest = pieces[i].substr(i == 0 ? done : 0);
        vectors[i] = {const_cast<char*>(rest.data()), rest.size()};
      }
      const ssize_t written = pwritev(fd_.get(), vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrnoStatus(errno, "write", path_);
      offset += static_cast<uint64_t>(written);
      done += static_cast<size_t>(written);
      while (!pieces.empty() && done >= pieces.front().size()) {
        done -= pieces.front().size();
        pieces = pieces.subspan(1);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    // EINTR is not retried either. Linux does not interrupt fdatasync, and a second call may hide a loss that the first
    // one reported.
    return fdatasync(fd_.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "sync", path_);
  }

  // This is only advice: if the system ignores it, nothing is lost.
  void Evict(uint64_t offset, uint64_t bytes) override {
    static_cast<void>(
        posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED));
  }

  absl::Status Allocate(uint64_t bytes) override {
    int error = 0;
    do {
      error = posix_fallocate(fd_.get(), 0, static_cast<off_t>(bytes));
    } while (error == EINTR);
    return error == 0 ? absl::OkStatus() : ErrnoStatus(error, "allocate", path_);
  }

  absl::Status Truncate(uint64_t bytes) override {
    while (ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "truncate", path_);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    struct stat status;
    if (fstat(fd_.get(), &status) != 0) return ErrnoStatus(errno, "look at", path_);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  const std::string path_;
  const UniqueFd fd_;
};

absl::StatusOr<std::unique_ptr<DiskFile>> OpenFile(const std::string& path, int flags, std::string_view what) {
  UniqueFd fd = OpenAboveStandard(path.c_str(), flags);
  if (!fd.valid()) return ErrnoStatus(errno, what, path);
  return std::make_unique<PosixFile>(path, std::move(fd));
}

// Creates one folder, whose parent exists.
absl::Status MakeOne(PosixDisk& disk, const std::filesystem::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0) {
    return errno == EEXIST ? absl::OkStatus() : ErrnoStatus(errno, "make", folder);
  }
  const auto parent = folder.parent_path();
  return disk.SyncFolder(parent.empty() ? "." : parent.string());
}

// Returns the names of the folders in a folder, or of everything else in it.
absl::StatusOr<std::vector<std::string>> ListKind(const std::string& path, bool folders) {
  std::vector<std::string> names;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(path, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    std::error_code ignored;
    if (entry->is_directory(ignored) == folders) names.push_back(entry->path().filename());
    entry.increment(error);
  }
  if (error) return ErrnoStatus(error.value(), "list", path);
  return names;
}

}  // namespace

absl::Status DiskFile::WriteGathered(uint64_t offset, std::span<const std::string_view> pieces) {
  std::string bytes;
  for (const std::string_view piece : pieces) bytes += piece;
  return Write(offset, bytes);
}

absl::StatusOr<std::unique_ptr<DiskFile>> PosixDisk::OpenForReading(const std::string& path) {
  return OpenFile(path, O_RDONLY, "read");
}

absl::StatusOr<std::unique_ptr<DiskFile>> PosixDisk::Open(const std::string& path) {
  return OpenFile(path, O_RDWR, "open");
}

absl::StatusOr<std::unique_ptr<DiskFile>> PosixDisk::Create(const std::string& path) {
  return OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, "create");
}

absl::Status PosixDisk::Rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                    : ErrnoStatus(errno, "rename to " + to + " what was", from);
}

absl::Status PosixDisk::Remove(const std::string& path) {
  return unlink(path.c_str()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "remove", path);
}

absl::Status PosixDisk::SyncFolder(const std::string& path) {
  const UniqueFd folder = OpenAboveStandard(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!folder.valid()) return ErrnoStatus(errno, "open", path);
  return fsync(folder.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "sync", path);
}

absl::Status PosixDisk::MakeFolder(const std::string& path) {
  std::filesystem::path folder;
  absl::Status made;
  for (const auto& part : std::filesystem::path(path)) {
    folder /= part;
    if (part.empty() || part == "/") continue;
    made = MakeOne(*this, folder);
    if (!made.ok()) break;
  }
  if (made.ok() && access(path.c_str(), R_OK | W_OK | X_OK) != 0) made = ErrnoStatus(errno, "write to", path);
  // mkdir also reports EEXIST if a file has that name.
  std::error_code ignored;
  if (made.ok() && !std::filesystem::is_directory(path, ignored)) made = ErrnoStatus(ENOTDIR, "write to", path);
  if (made.ok()) return made;
  return absl::Status(made.code(),
                      ToAbsl(fmt::format("{}; give a folder of this user's with --data-dir", ToStd(made.message()))));
}

absl::StatusOr<std::vector<std::string>> PosixDisk::List(const std::string& path) { return ListKind(path, false); }

absl::StatusOr<std::vector<std::string>> PosixDisk::ListFolders(const std::string& path) {
  return ListKind(path, true);
}

absl::Status PosixDisk::RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? ErrnoStatus(error.value(), "remove", path) : absl::OkStatus();
}

}  // namespace viewcount
