#include "client/cli/log_follower.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace viewcount::cli {
namespace {

// How long a rotated log is read on after its last line. Web servers write to it until they open the new file, which
// nginx does within seconds and Apache after its last request.
constexpr std::chrono::seconds kRotatedQuiet{60};

// Returns the name that logrotate gives to the last rotated log of a file.
std::string RotatedName(const std::string& path) { return path + ".1"; }

// Returns the file that a path names, or nothing if there is none.
std::optional<FileId> FileAt(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

}  // namespace

LogFollower::LogFollower(const ImporterOptions& options, ImportSummary& summary, std::vector<std::string> files)
    : options_(options), summary_(summary), files_(std::move(files)) {}

absl::Status LogFollower::Poll(Time now) {
  if (!std::exchange(started_, true)) {
    for (const auto& path : files_) {
      if (auto status = Open(RotatedName(path), true, now); !status.ok()) return status;
    }
  }
  HandleRenaming(now);
  if (auto status = HandleTruncation(now); !status.ok()) return status;
  if (auto status = OpenNewFiles(now); !status.ok()) return status;
  for (auto& open : logs_) {
    if (open.log == nullptr) continue;
    const auto more = Advance(open, now);
    if (!more.ok()) return more.status();
    if (!*more) open.log = nullptr;
  }
  std::erase_if(logs_, [](const OpenLog& open) { return open.rotated && open.log == nullptr; });
  return absl::OkStatus();
}

void LogFollower::HandleRenaming(Time now) {
  for (auto& open : logs_) {
    if (open.rotated) continue;
    const auto named = FileAt(open.path);
    if (named && *named == open.file) continue;
    open.rotated = true;
    open.grown = now;
  }
}

absl::Status LogFollower::HandleTruncation(Time now) {
  std::vector<std::string> truncated;
  std::erase_if(logs_, [&](const OpenLog& open) {
    if (open.log == nullptr || !open.log->source().Truncated()) return false;
    truncated.push_back(open.path);
    return true;
  });
  for (const auto& path : truncated) {
    const auto copy = RotatedName(path);
    if (!FileAt(copy) && options_.on_warning) {
      options_.on_warning(path + " was truncated and there is no copy named " + copy +
                          "; import its copy under the name that it has, so that no line is lost");
    }
    if (auto status = Open(copy, true, now); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LogFollower::OpenNewFiles(Time now) {
  for (const auto& path : files_) {
    const bool has_file =
        std::any_of(logs_.begin(), logs_.end(), [&](const auto& open) { return open.path == path && !open.rotated; });
    if (has_file) continue;
    if (auto status = Open(path, false, now); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LogFollower::Open(const std::string& path, bool rotated, Time now) {
  const auto file = FileAt(path);
  if (!file || IsOpen(*file)) return absl::OkStatus();
  auto source = ByteSource::Open(path);
  // The file may have been renamed since.
  if (absl::IsNotFound(source.status())) return absl::OkStatus();
  if (!source.ok()) return source.status();
  const FileId opened = (*source)->file_id();
  if (IsOpen(opened)) return absl::OkStatus();
  auto log = std::make_unique<ImportedLog>(options_, summary_, path, *std::move(source));
  logs_.push_back({path, opened, std::move(log), rotated, now});
  return absl::OkStatus();
}

bool LogFollower::IsOpen(const FileId& file) const {
  return std::any_of(logs_.begin(), logs_.end(), [&](const auto& open) { return open.file == file; });
}

absl::StatusOr<bool> LogFollower::Advance(OpenLog& open, Time now) {
  const auto& source = open.log->source();
  const uint64_t before = source.file_position();
  if (auto status = open.log->Advance(UnfinishedLine::kLeave); !status.ok()) return status;
  if (source.file_position() != before) open.grown = now;
  // A compressed file has all its lines.
  const bool ended = source.compressed() || (open.rotated && now - open.grown >= kRotatedQuiet);
  if (!ended) return true;
  if (auto status = open.log->Advance(UnfinishedLine::kTake); !status.ok()) return status;
  return false;
}

}  // namespace viewcount::cli
