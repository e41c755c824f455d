#include "service/lane/lane_directory.h"

#include <absl/time/time.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "service/base/files.h"
#include "service/base/planted_bug.h"

namespace viewcount {
namespace {

constexpr int kFormat = 2;
constexpr const char* kRetired = "RETIRED";

absl::Status BrokenIdentity(const std::string& path, std::string_view what) {
  return absl::FailedPreconditionError(fmt::format("{} {}; restore it, or remove {} as a whole to begin a new lane",
                                                   path, what, std::filesystem::path(path).parent_path().string()));
}

std::optional<Position> ParsePosition(std::string_view text) {
  Position position;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position.value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return position;
}

std::string FormatNow(const Clock& clock) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(clock.UnixMillis()), absl::UTCTimeZone());
}

// Returns true for segments and checkpoints, but not for the lock or for folders that were moved aside.
bool IsOfJournal(const std::string& name) { return name.ends_with(".journal") || name.ends_with(".writers"); }

}  // namespace

absl::StatusOr<UniqueFd> LockLane(const std::string& path) {
  const std::string lock_path = path + "/LOCK";
  UniqueFd lock = OpenAboveStandard(lock_path.c_str(), O_RDWR | O_CREAT);
  if (!lock.valid()) {
    return absl::FailedPreconditionError(fmt::format("cannot open {}: {}", lock_path, std::strerror(errno)));
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("another viewcountd uses {}; stop it, or give this one a folder of its own with --data-dir", path));
  }
  return lock;
}

std::string LanePath(const std::string& data_dir, uint32_t number) {
  return fmt::format("{}/lanes/{}", data_dir, number);
}

absl::StatusOr<std::vector<std::pair<uint32_t, std::string>>> ListLanes(Disk& disk, const std::string& data_dir) {
  std::vector<std::pair<uint32_t, std::string>> lanes;
  const auto names = disk.ListFolders(data_dir + "/lanes");
  if (absl::IsNotFound(names.status())) return lanes;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    uint32_t number = 0;
    const auto error = std::from_chars(name.data(), name.data() + name.size(), number).ec;
    if (error == std::errc() && name == std::to_string(number)) lanes.emplace_back(number, LanePath(data_dir, number));
  }
  std::sort(lanes.begin(), lanes.end());
  return lanes;
}

absl::StatusOr<LaneDirectory> LaneDirectory::Open(Disk& disk, const Clock& clock, const std::string& data_dir,
                                                  uint32_t number) {
  LaneDirectory directory(disk, clock, LanePath(data_dir, number));
  if (auto status = disk.MakeFolder(directory.path_); !status.ok()) return status;
  auto lock = LockLane(directory.path_);
  if (!lock.ok()) return lock.status();
  directory.lock_ = *std::move(lock);
  if (auto status = directory.LoadIdentity(); !status.ok()) return status;
  return directory;
}

absl::StatusOr<LaneDirectory> LaneDirectory::OpenUnlocked(Disk& disk, const Clock& clock, const std::string& path) {
  LaneDirectory directory(disk, clock, path);
  if (auto status = disk.MakeFolder(path); !status.ok()) return status;
  if (auto status = directory.LoadIdentity(); !status.ok()) return status;
  return directory;
}

absl::Status LaneDirectory::Remove() {
  // The folder disappears in one step. A journal without its identity would be refused. A journal whose lane the store
  // has forgotten would be counted again.
  const std::string gone = path_ + "-removed";
  if (auto status = disk_->RemoveFolder(gone); !status.ok()) return status;
  if (auto status = disk_->Rename(path_, gone); !status.ok()) return status;
  if (auto status = disk_->SyncFolder(std::filesystem::path(path_).parent_path()); !status.ok()) return status;
  return disk_->RemoveFolder(gone);
}

absl::Status LaneDirectory::SetRetired(bool retired) {
  if (retired == retired_) return absl::OkStatus();
  const std::string path = path_ + "/" + kRetired;
  absl::Status status = retired ? WriteFileDurably(*disk_, path, FormatNow(*clock_) + "\n") : disk_->Remove(path);
  // An earlier call may have removed the file and then failed to sync its folder.
  if (absl::IsNotFound(status)) status = absl::OkStatus();
  if (status.ok() && !retired) status = disk_->SyncFolder(path_);
  if (status.ok()) retired_ = retired;
  return status;
}

void LaneDirectory::BeginNew() {
  identity_ = {.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>(), .earlier = {}};
  created_ = FormatNow(*clock_);
  unchecked_.reset();
  begun_ = false;
}

absl::Status LaneDirectory::Prepare() {
  begun_ = identity_.earlier.empty();
  return WriteIdentity();
}

absl::Status LaneDirectory::Begin() {
  begun_ = true;
  return WriteIdentity();
}

absl::Status LaneDirectory::BeginUnchecked(Position end) {
  if (unchecked_) return absl::OkStatus();
  unchecked_ = end;
  absl::Status status = WriteIdentity();
  if (!status.ok()) unchecked_.reset();
  return status;
}

absl::Status LaneDirectory::EndUnchecked() {
  const auto before = std::exchange(unchecked_, std::nullopt);
  if (!before) return absl::OkStatus();
  absl::Status status = WriteIdentity();
  if (!status.ok()) unchecked_ = before;
  return status;
}

LaneDirectory::Verdict LaneDirectory::Judge(Position stored, Position end, bool taking) const {
  const Position checked = Planted(PlantedBug::kForgetUnchecked) ? end : unchecked_.value_or(end);
  if (stored <= checked) return Verdict::kKeep;
  return taking || checked < end ? Verdict::kFenceOff : Verdict::kAbandon;
}

absl::Status LaneDirectory::WriteIdentity() const {
  std::string text = fmt::format("format {}\nlane {}\ncreated {}\n", kFormat, ToHex(identity_.id), created_);
  for (const Incarnation& earlier : identity_.earlier) text += fmt::format("incarnation {}\n", ToHex(earlier));
  if (begun_) text += fmt::format("incarnation {}\n", ToHex(identity_.incarnation));
  if (unchecked_) text += fmt::format("unchecked {}\n", unchecked_->value);
  return WriteFileDurably(*disk_, path_ + "/IDENTITY", text);
}

absl::Status LaneDirectory::Abandon() {
  const std::string aside = fmt::format("{}/abandoned-{}", path_, ToHex(identity_.id));
  if (auto status = disk_->MakeFolder(aside); !status.ok()) return status;
  auto names = disk_->List(path_);
  if (!names.ok()) return names.status();
  std::erase_if(*names, [](const std::string& name) { return !IsOfJournal(name); });
  // The journal is moved first: an identity without its journal is given up at the next start, but a journal of another
  // identity is refused. The newest segment is moved before older ones, so that no gap remains whatever a crash undoes.
  std::sort(names->begin(), names->end(), std::greater<>());
  for (const std::string& name : *names) {
    if (auto status = disk_->Rename(path_ + "/" + name, aside + "/" + name); !status.ok()) return status;
    if (auto status = disk_->SyncFolder(aside); !status.ok()) return status;
    if (auto status = disk_->SyncFolder(path_); !status.ok()) return status;
  }
  BeginNew();
  return Begin();
}

absl::Status LaneDirectory::LoadIdentity() {
  const auto mark = ReadFile(*disk_, path_ + "/" + kRetired);
  if (!mark.ok() && !absl::IsNotFound(mark.status())) return mark.status();
  retired_ = mark.ok();
  const std::string path = path_ + "/IDENTITY";
  const auto text = ReadFile(*disk_, path);
  if (absl::IsNotFound(text.status())) {
    BeginNew();
    return absl::OkStatus();
  }
  if (!text.ok()) return text.status();
  std::istringstream lines(*text);
  std::string word;
  std::string value;
  bool formatted = false;
  std::vector<Incarnation> incarnations;
  while (lines >> word) {
    // A line that was cut off has no value.
    if (!(lines >> value)) value.clear();
    if (word == "format" && value == std::to_string(kFormat)) {
      formatted = true;
    } else if (word == "format") {
      return absl::FailedPreconditionError(
          fmt::format("{} is of format {}, this viewcountd knows format {}; use the viewcountd that wrote it", path,
                      value, kFormat));
    } else if (const auto lane = IdFromHex<LaneId>(value); word == "lane" && lane) {
      identity_.id = *lane;
    } else if (word == "created" && !value.empty()) {
      created_ = value;
    } else if (const auto incarnation = IdFromHex<Incarnation>(value); word == "incarnation" && incarnation) {
      incarnations.push_back(*incarnation);
    } else if (const auto position = ParsePosition(value); word == "unchecked" && position) {
      unchecked_ = *position;
    } else {
      return BrokenIdentity(path, fmt::format("has a line that viewcountd did not write: \"{} {}\"", word, value));
    }
  }
  if (!formatted) return BrokenIdentity(path, "does not state its format");
  if (identity_.id.IsNone() || incarnations.empty()) return BrokenIdentity(path, "does not say which lane it is");
  // Redis may return to its state of a few starts ago, but not of thousands.
  const size_t forgotten = incarnations.size() - std::min(incarnations.size(), limits::kIncarnationsKept);
  identity_.earlier.assign(incarnations.begin() + static_cast<std::ptrdiff_t>(forgotten), incarnations.end());
  identity_.incarnation = Planted(PlantedBug::kReuseIncarnation) ? incarnations.back() : RandomId<Incarnation>();
  return absl::OkStatus();
}

}  // namespace viewcount
