// Files as the journal needs them, behind an interface so that tests and the simulation can lose, tear and fill them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// An open file. Calls on one file must not overlap, but for Read beside Write of other bytes. Errors name the file and
// what failed; RESOURCE_EXHAUSTED means that there is no room on the disk.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Reads up to `out.size()` bytes from `offset` on; fewer only at the end of the file.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) = 0;
  // Writes all of `bytes` at `offset`. Not durable before Sync; after a crash any part of it may be there.
  virtual absl::Status Write(uint64_t offset, std::string_view bytes) = 0;
  // The same of pieces, one behind the other.
  virtual absl::Status WriteGathered(uint64_t offset, std::span<const std::string_view> pieces);
  // fdatasync(2). After an error nobody knows what the disk holds: it must never be called again.
  virtual absl::Status Sync() = 0;
  // What of these bytes is durable need not stay in memory: it is not going to be read soon. Whole pages only.
  virtual void Evict(uint64_t /*offset*/, uint64_t /*bytes*/) {}
  // Makes the file `bytes` long with room for all of them, zeros where nothing was written.
  virtual absl::Status Allocate(uint64_t bytes) = 0;
  virtual absl::Status Truncate(uint64_t bytes) = 0;
  virtual absl::StatusOr<uint64_t> Size() = 0;
};

// Thread safe. Names last only after SyncFolder of the folder they are in. Errors as for DiskFile; NOT_FOUND for what
// does not exist.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) = 0;
  // For reading and writing.
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) = 0;
  // A new, empty file in place of any of that name; for its owner only.
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) = 0;
  // Replaces `to` if it exists.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status SyncFolder(const std::string& path) = 0;
  // Makes the folder, and those above it, for the owner only; they last on return. FAILED_PRECONDITION says what to do
  // if it is there and not to be written to.
  virtual absl::Status MakeFolder(const std::string& path) = 0;
  // Names of the files in a folder, in no order; NOT_FOUND if there is no folder.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
};

// The machine's own.
class PosixDisk final : public Disk {
 public:
  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::Status MakeFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
};

}  // namespace viewcount
