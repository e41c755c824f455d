// A disk whose user dies in the middle of working with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/base/disk.h"
#include "tests/simulation/random.h"

namespace viewcount::simulation {

// One thread. `disk` and `random` must outlive it, and it the files.
class CrashingDisk final : public Disk {
 public:
  CrashingDisk(Disk& disk, Random& random) : disk_(disk), random_(random) {}

  // Called before a file is written or synced: what other threads do meanwhile.
  std::function<void()> meanwhile;

  // The nth change (a write, a sync, a name) from now on throws Crash before, in the middle of or after it; 0 is never.
  void CrashAt(uint64_t nth) { left_ = nth; }

  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;

 private:
  class File;
  // Does `change`, unless the process dies before; it may also die after.
  template <typename Change>
  auto Do(Change change) -> decltype(change());
  bool IsDue() { return left_ > 0 && --left_ == 0; }

  Disk& disk_;
  Random& random_;
  uint64_t left_ = 0;
};

}  // namespace viewcount::simulation
