#include "service/store/embedded/restored_dump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <tuple>

#include "service/base/unique_fd.h"

namespace viewcount {
namespace {

namespace fs = std::filesystem;

constexpr char kDump[] = "/dump.rdb";
constexpr char kData[] = "/appendonlydir";
constexpr char kDraft[] = "/appendonlydir.new";
// The append-only file of Redis before version 7. Redis 7 converts it to an appendonlydir.
constexpr char kOldFile[] = "/appendonly.aof";
constexpr char kBase[] = "appendonly.aof.1.base.rdb";
constexpr char kManifest[] = "appendonly.aof.manifest";
// Redis writes to it in every run, also after each snapshot of its own.
constexpr char kLog[] = "/redis.log";

absl::Status CannotTake(const std::string& dump, const std::string& why) {
  return absl::FailedPreconditionError(
      fmt::format("{} was restored, but cannot be taken for the data of the embedded Redis: {}; make it a file that "
                  "this user may read, with as much room on the disk again, or remove it to begin with no counts",
                  dump, why));
}

// Whether a data set exists, and which kinds of files it has.
struct DataFiles {
  bool manifest = false;
  bool others = false;
};

DataFiles FindData(const std::string& folder) {
  DataFiles found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder + kData, ignored)) {
    (entry.path().extension() == ".manifest" ? found.manifest : found.others) = true;
  }
  return found;
}

bool Sync(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() && fsync(file.get()) == 0;
}

// Returns whether a file came to its place after Redis last wrote to its log. A copy may keep the time of its content
// (mtime), but not the time of its last change (ctime). Returns false if it cannot be known.
bool CameAfterLastRun(const std::string& file, const std::string& log) {
  struct stat came {};
  struct stat ran {};
  if (stat(file.c_str(), &came) != 0 || stat(log.c_str(), &ran) != 0) return false;
  return std::tie(came.st_ctim.tv_sec, came.st_ctim.tv_nsec) > std::tie(ran.st_ctim.tv_sec, ran.st_ctim.tv_nsec);
}

}  // namespace

absl::StatusOr<RestoredDump> TakeRestoredDump(const std::string& folder) {
  const std::string dump = folder + kDump;
  const std::string draft = folder + kDraft;
  std::error_code error;
  const DataFiles data = FindData(folder);
  if (data.others && !data.manifest) {
    return absl::FailedPreconditionError(
        fmt::format("{}{} holds data but no {}, without which Redis does not find it and would begin with no counts; "
                    "restore that file, or move the folder away",
                    folder, kData, kManifest));
  }
  const auto status = fs::status(dump, error);
  if (!fs::exists(status)) return RestoredDump::kNone;
  if (data.manifest || fs::exists(folder + kOldFile, error)) {
    if (!CameAfterLastRun(dump, folder + kLog)) return RestoredDump::kBeside;
    return absl::FailedPreconditionError(fmt::format(
        "{0} was restored, but the embedded Redis reads {1}{2}, which holds other data; move {1}{2} away to "
        "begin with the snapshot, or remove {0} to keep the present counts",
        dump, folder, data.manifest ? kData : kOldFile));
  }
  if (!fs::is_regular_file(status)) return CannotTake(dump, "it is no regular file");

  fs::remove_all(draft, error);
  const std::string base = fmt::format("{}/{}", draft, kBase);
  const std::string manifest = fmt::format("{}/{}", draft, kManifest);
  if (fs::create_directory(draft, error); error) return CannotTake(dump, error.message());
  if (fs::copy_file(dump, base, error); error) return CannotTake(dump, error.message());
  std::ofstream(manifest) << "file " << kBase << " seq 1 type b\n";
  // An empty folder may already exist.
  fs::remove(folder + kData, error);
  if (!Sync(base) || !Sync(manifest) || !Sync(draft)) return CannotTake(dump, std::strerror(errno));
  if (fs::rename(draft, folder + kData, error); error) return CannotTake(dump, error.message());
  if (!Sync(folder)) return CannotTake(dump, std::strerror(errno));
  spdlog::warn("the embedded Redis has no append-only file, but there is a snapshot: it begins with {}", dump);
  return RestoredDump::kTaken;
}

void UndoTakeRestoredDump(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder + kData, error);
  if (error) spdlog::error("cannot remove {}{}: {}", folder, kData, error.message());
}

absl::Status DumpBesideNothing(const std::string& folder) {
  return absl::FailedPreconditionError(fmt::format(
      "{0}{1} was restored, but the embedded Redis reads {0}{2}, which holds nothing; remove {0}{2} to begin "
      "with the snapshot, or {0}{1} to begin with no counts",
      folder, kDump, kData));
}

}  // namespace viewcount
