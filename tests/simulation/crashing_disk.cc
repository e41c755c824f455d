#include "tests/simulation/crashing_disk.h"

#include <utility>

#include "tests/simulation/crash.h"

namespace viewcount::simulation {

template <typename Change>
auto CrashingDisk::Do(Change change) -> decltype(change()) {
  if (!IsDue()) return change();
  if (random_.Half()) (void)change();
  throw Crash{"died while it changed the disk"};
}

class CrashingDisk::File final : public DiskFile {
 public:
  File(CrashingDisk& disk, std::unique_ptr<DiskFile> file) : disk_(disk), file_(std::move(file)) {}

  absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) override { return file_->Read(offset, out); }
  absl::Status Write(uint64_t offset, std::string_view bytes) override {
    if (disk_.meanwhile) disk_.meanwhile();
    if (!disk_.IsDue()) return file_->Write(offset, bytes);
    (void)file_->Write(offset, bytes.substr(0, disk_.random_.Below(bytes.size() + 1)));
    throw Crash{"died while it wrote"};
  }
  absl::Status Sync() override {
    if (disk_.meanwhile) disk_.meanwhile();
    return disk_.Do([&] { return file_->Sync(); });
  }
  absl::Status Allocate(uint64_t bytes) override {
    return disk_.Do([&] { return file_->Allocate(bytes); });
  }
  absl::Status Truncate(uint64_t bytes) override {
    return disk_.Do([&] { return file_->Truncate(bytes); });
  }
  absl::StatusOr<uint64_t> Size() override { return file_->Size(); }

 private:
  CrashingDisk& disk_;
  const std::unique_ptr<DiskFile> file_;
};

absl::StatusOr<std::unique_ptr<DiskFile>> CrashingDisk::OpenForReading(const std::string& path) {
  return disk_.OpenForReading(path);
}

absl::StatusOr<std::unique_ptr<DiskFile>> CrashingDisk::Open(const std::string& path) {
  auto file = disk_.Open(path);
  if (!file.ok()) return file.status();
  return std::make_unique<File>(*this, *std::move(file));
}

absl::StatusOr<std::unique_ptr<DiskFile>> CrashingDisk::Create(const std::string& path) {
  auto file = Do([&] { return disk_.Create(path); });
  if (!file.ok()) return file.status();
  return std::make_unique<File>(*this, *std::move(file));
}

absl::Status CrashingDisk::Rename(const std::string& from, const std::string& to) {
  return Do([&] { return disk_.Rename(from, to); });
}

absl::Status CrashingDisk::Remove(const std::string& path) {
  return Do([&] { return disk_.Remove(path); });
}

absl::Status CrashingDisk::SyncFolder(const std::string& path) {
  return Do([&] { return disk_.SyncFolder(path); });
}

absl::Status CrashingDisk::MakeFolder(const std::string& path) { return disk_.MakeFolder(path); }

absl::StatusOr<std::vector<std::string>> CrashingDisk::List(const std::string& path) { return disk_.List(path); }

absl::StatusOr<std::vector<std::string>> CrashingDisk::ListFolders(const std::string& path) {
  return disk_.ListFolders(path);
}

absl::Status CrashingDisk::RemoveFolder(const std::string& path) {
  return Do([&] { return disk_.RemoveFolder(path); });
}

}  // namespace viewcount::simulation
