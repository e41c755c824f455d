// The file operations of the journal. They are an interface, so tests and the simulation can lose, tear and fill files.
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

// An open file. Calls on one file must not overlap, except that Read may run beside a Write of other bytes. Errors name
// the file and the operation that failed. RESOURCE_EXHAUSTED means that the disk has no room.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Reads up to `out.size()` bytes, beginning at `offset`, and returns their number. It is smaller than `out.size()`
  // only at the end of the file.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) = 0;
  // Writes all of `bytes` at `offset`. They are not durable before Sync: after a crash any part of them may be on the
  // disk.
  virtual absl::Status Write(uint64_t offset, std::string_view bytes) = 0;
  // Writes all pieces, one after the other, beginning at `offset`. Otherwise like Write.
  virtual absl::Status WriteGathered(uint64_t offset, std::span<const std::string_view> pieces);
  // Makes all written bytes durable, with fdatasync(2). After an error the content of the disk is unknown, and the
  // caller must never call Sync of this file again.
  virtual absl::Status Sync() = 0;
  // Advises the system to drop the durable bytes of this range from its page cache, since they will not be read soon.
  // Only whole pages are dropped.
  virtual void Evict(uint64_t /*offset*/, uint64_t /*bytes*/) {}
  // Makes the file `bytes` long and reserves disk space for all of it. Bytes that were never written are zeros.
  virtual absl::Status Allocate(uint64_t bytes) = 0;
  virtual absl::Status Truncate(uint64_t bytes) = 0;
  virtual absl::StatusOr<uint64_t> Size() = 0;
};

// A file system. Thread-safe. A created, renamed or removed name is durable only after SyncFolder of its folder. Errors
// are those of DiskFile, and NOT_FOUND if the file or folder does not exist.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) = 0;
  // Opens an existing file for reading and writing.
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) = 0;
  // Creates an empty file, which replaces an existing file of that name. Only the owner has access to it.
  virtual absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) = 0;
  // Renames a file or a folder. An existing file `to` is replaced. A folder is renamed in one step, with everything in
  // it; `to` must not exist.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status SyncFolder(const std::string& path) = 0;
  // Creates the folder and its missing parents, with access for the owner only. They are durable on return. If the
  // folder exists and is not writable, a FAILED_PRECONDITION error states what to do.
  virtual absl::Status MakeFolder(const std::string& path) = 0;
  // Returns the names of the files in a folder, in no particular order. NOT_FOUND if the folder does not exist.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  // Returns the names of the folders in a folder, in no particular order. NOT_FOUND if the folder does not exist.
  virtual absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& path) = 0;
  // Removes a folder with everything in it. A folder that does not exist is no error. After a crash any part of it may
  // be left.
  virtual absl::Status RemoveFolder(const std::string& path) = 0;
};

// The file system of the machine.
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
  absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& path) override;
  absl::Status RemoveFolder(const std::string& path) override;
};

}  // namespace viewcount
