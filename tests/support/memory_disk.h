// A disk in memory that knows what a crash would leave of it; it can crash, fill up, fail a sync and flip bits.
//
// Like a real one it keeps its promises and nothing more: of what was written without a sync any 512-byte sector may be
// there in any of the forms it had, and any name that was not synced with its folder may be the old or the new one. A
// failed sync leaves the file looking as written while later syncs no longer help.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "service/base/disk.h"

namespace viewcount {

// Thread safe. Files opened before a crash fail after it; all files must be gone before the disk.
class MemoryDisk final : public Disk {
 public:
  MemoryDisk();
  ~MemoryDisk() override;

  // Takes away a random part of what is not durable. The same generator does the same.
  void Crash(std::mt19937_64& random);
  // How many bytes all files together may have from now on.
  void SetQuota(uint64_t bytes);
  // Of all files.
  uint64_t bytes() const;
  // Lets the nth sync of a file or folder from now on fail; 1 is the next.
  void FailSync(int nth);
  // Changes a durable bit behind everybody's back.
  void FlipBit(const std::string& path, uint64_t offset, int bit);

  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;

 private:
  struct Inode;
  class File;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A change of names that is not durable.
  struct NameChange {
    // Empty for a new file.
    std::string from;
    // Empty for a removal.
    std::string to;
    std::shared_ptr<Inode> created;
  };
  static void Apply(const NameChange& change, Names& names);
  absl::Status Change(NameChange change);
  absl::StatusOr<std::shared_ptr<Inode>> Find(const std::string& path) const;
  // Counts down to the sync that is to fail.
  bool SyncFails();
  absl::Status Reserve(const std::string& path, uint64_t bytes_before, uint64_t bytes_after);

  mutable std::mutex mutex_;
  // Below: under mutex_.
  Names names_;
  Names durable_names_;
  std::vector<NameChange> changes_;
  std::set<std::string> folders_;
  uint64_t quota_ = UINT64_MAX;
  uint64_t bytes_ = 0;
  int syncs_to_failure_ = 0;
  uint64_t crashes_ = 0;
};

}  // namespace viewcount
