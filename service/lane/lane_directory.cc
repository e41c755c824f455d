#include "service/lane/lane_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "service/base/files.h"

namespace viewcount {
namespace {

constexpr int kFormat = 1;

}  // namespace

absl::StatusOr<LaneDirectory> LaneDirectory::Open(const std::string& data_dir, uint32_t number) {
  const std::string path = fmt::format("{}/lanes/{}", data_dir, number);
  if (auto status = MakeFolder(path); !status.ok()) return status;
  const std::string lock_path = path + "/LOCK";
  UniqueFd lock = OpenAboveStandard(lock_path.c_str(), O_RDWR | O_CREAT);
  if (!lock.valid()) {
    return absl::FailedPreconditionError(fmt::format("cannot open {}: {}", lock_path, std::strerror(errno)));
  }
  LaneDirectory directory(path, std::move(lock));
  if (flock(directory.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(fmt::format(
        "another viewcountd uses {}; stop it, or give this one a folder of its own with --data-dir", data_dir));
  }
  if (auto status = directory.LoadIdentity(); !status.ok()) return status;
  directory.lane_ = RandomId<LaneId>();
  if (auto status = directory.SaveIdentity(); !status.ok()) return status;
  return directory;
}

std::vector<uint32_t> LaneDirectory::Surplus(const std::string& data_dir, uint32_t count) {
  std::vector<uint32_t> numbers;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir + "/lanes", ignored)) {
    const std::string name = entry.path().filename();
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size() && number >= count) numbers.push_back(number);
  }
  return numbers;
}

void LaneDirectory::Remove() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

absl::Status LaneDirectory::ForgetRetired() {
  retired_.clear();
  return SaveIdentity();
}

absl::Status LaneDirectory::LoadIdentity() {
  const std::string path = path_ + "/IDENTITY";
  const auto text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  std::istringstream lines(*text);
  std::string word;
  std::string value;
  bool formatted = false;
  while (lines >> word) {
    // A line that was cut off has none.
    if (!(lines >> value)) value.clear();
    const auto id = IdFromHex<LaneId>(value);
    if (word == "format" && value == std::to_string(kFormat)) {
      formatted = true;
      continue;
    }
    if (word == "format") {
      return absl::FailedPreconditionError(fmt::format(
          "{} is of format {}, this viewcountd knows format {}; use a newer viewcountd", path, value, kFormat));
    }
    if ((word != "lane" && word != "retired") || !id) {
      return absl::FailedPreconditionError(
          fmt::format("{} has a line nobody wrote: \"{} {}\"; restore it, or remove it to "
                      "begin a new lane",
                      path, word, value));
    }
    retired_.push_back(*id);
  }
  if (!formatted) {
    return absl::FailedPreconditionError(
        fmt::format("{} does not state its format; restore it, or remove it to begin a new lane", path));
  }
  return absl::OkStatus();
}

absl::Status LaneDirectory::SaveIdentity() const {
  std::string text = fmt::format("format {}\nlane {}\n", kFormat, ToHex(lane_));
  for (const LaneId& id : retired_) text += fmt::format("retired {}\n", ToHex(id));
  return WriteFileDurably(path_ + "/IDENTITY", text);
}

}  // namespace viewcount
