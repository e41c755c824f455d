// A disk on which the process can die in the middle of a change.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "tests/simulation/random.h"

namespace viewcount::simulation {

// Passes all calls to another disk, and dies at a chosen change. Not thread-safe. `disk` and `random` must outlive it,
// and it must outlive its files.
class CrashingDisk final : public Disk {
 public:
  CrashingDisk(Disk& disk, Random& random) : disk_(disk), random_(random) {}

  // Called before a file is written or synced. It does what other threads do in that time.
  std::function<void()> meanwhile;

  // Makes the nth change from now on throw Crash before, in the middle of or after the change. A change is a write, a
  // sync or a change of a name. 0 means never.
  void CrashAt(uint64_t nth) { left_ = nth; }

  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& path) override;
  absl::Status RemoveFolder(const std::string& path) override;

 private:
  class File;
  // Does `change`, unless the process dies before it. The process may also die after it.
  template <typename Change>
  auto Do(Change change) -> decltype(change());
  bool IsDue() { return left_ > 0 && --left_ == 0; }

  Disk& disk_;
  Random& random_;
  uint64_t left_ = 0;
};

}  // namespace viewcount::simulation
