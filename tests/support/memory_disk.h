// A disk in memory that can simulate a crash, fill up, fail a sync and flip bits.
//
// It guarantees only what a real disk guarantees. After a crash, any 512-byte sector that was not synced may have any
// of the contents it had. Any name that was not synced with its folder may be the old name or the new one. After a
// failed sync the file still looks as written, but later syncs do not make it durable.
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

// Thread-safe. Files that were opened before a crash fail after it. All files must be destroyed before the disk.
class MemoryDisk final : public Disk {
 public:
  MemoryDisk();
  ~MemoryDisk() override;

  // Discards a random part of everything that is not durable. The result depends only on the generator's state.
  void Crash(std::mt19937_64& random);
  // Limits the total size of all files to this number of bytes from now on.
  void SetQuota(uint64_t bytes);
  // Returns the total size of all files in bytes.
  uint64_t bytes() const;
  // Makes the nth sync of a file or folder from now on fail. 1 is the next sync.
  void FailSync(int nth);
  // Flips a durable bit of a file, as a hardware fault does. No reader or writer is notified.
  void FlipBit(const std::string& path, uint64_t offset, int bit);

  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  // A folder without files is not listed.
  absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& path) override;
  absl::Status RemoveFolder(const std::string& path) override;

 private:
  struct Inode;
  class File;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A change of names that is not durable yet.
  struct NameChange {
    // Empty for a new file.
    std::string from;
    // Empty for a removal.
    std::string to;
    std::shared_ptr<Inode> created;
    // True if `from` and `to` are folders, which are renamed with everything in them.
    bool folder = false;
  };
  static void Apply(const NameChange& change, Names& names);
  absl::Status Change(NameChange change);
  absl::Status RenameFolder(const std::string& from, const std::string& to);
  absl::StatusOr<std::shared_ptr<Inode>> Find(const std::string& path) const;
  // Counts down to the sync that must fail. Returns true for that sync.
  bool SyncFails();
  absl::Status Reserve(const std::string& path, uint64_t bytes_before, uint64_t bytes_after);

  mutable std::mutex mutex_;
  // `mutex_` guards all members below.
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
