// A disk whose syncs can be blocked at a gate, or made to fail.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "service/base/disk.h"

namespace viewcount {

// Wraps `disk`, which must outlive it. It must outlive its files. The disk is thread-safe. Calls on one file must not
// overlap.
class GatedDisk final : public Disk {
 public:
  explicit GatedDisk(Disk& disk) : disk_(disk) {}

  void Open() { Set(true); }
  void Shut() { Set(false); }
  // Returns true if a sync is waiting at the gate.
  bool Waited() {
    std::lock_guard lock(mutex_);
    return waiting_ > 0;
  }
  // Returns how many bytes were evicted from memory. Only whole pages count, and only while everything written to their
  // file was durable.
  uint64_t EvictedBytes() {
    std::lock_guard lock(mutex_);
    return evicted_bytes_;
  }
  // From now on every sync of a file whose path contains `part` returns `status`, without syncing. An OK status ends
  // the failures.
  void Fail(absl::Status status, std::string part = "") {
    std::lock_guard lock(mutex_);
    failure_ = std::move(status);
    failing_ = std::move(part);
  }

  absl::StatusOr<std::unique_ptr<DiskFile>> OpenForReading(const std::string& path) override {
    return disk_.OpenForReading(path);
  }
  absl::StatusOr<std::unique_ptr<DiskFile>> Open(const std::string& path) override {
    return Gate(path, disk_.Open(path));
  }
  absl::StatusOr<std::unique_ptr<DiskFile>> Create(const std::string& path) override {
    return Gate(path, disk_.Create(path));
  }
  absl::Status Rename(const std::string& from, const std::string& to) override { return disk_.Rename(from, to); }
  absl::Status Remove(const std::string& path) override { return disk_.Remove(path); }
  absl::Status SyncFolder(const std::string& path) override { return disk_.SyncFolder(path); }
  absl::Status MakeFolder(const std::string& path) override { return disk_.MakeFolder(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override { return disk_.List(path); }
  absl::StatusOr<std::vector<std::string>> ListFolders(const std::string& path) override {
    return disk_.ListFolders(path);
  }
  absl::Status RemoveFolder(const std::string& path) override { return disk_.RemoveFolder(path); }

 private:
  // A file whose syncs pass the gate.
  class File final : public DiskFile {
   public:
    File(GatedDisk& gate, std::string path, std::unique_ptr<DiskFile> file)
        : gate_(gate), path_(std::move(path)), file_(std::move(file)) {}
    absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) override { return file_->Read(offset, out); }
    absl::Status Write(uint64_t offset, std::string_view bytes) override {
      dirty_ = true;
      return file_->Write(offset, bytes);
    }
    absl::Status Sync() override {
      if (auto status = gate_.Pass(path_); !status.ok()) return status;
      auto status = file_->Sync();
      dirty_ = !status.ok();
      return status;
    }
    void Evict(uint64_t offset, uint64_t bytes) override {
      constexpr uint64_t kPage = 4'096;
      if (!dirty_ && offset % kPage == 0 && bytes % kPage == 0) gate_.NoteEvicted(bytes);
      file_->Evict(offset, bytes);
    }
    absl::Status Allocate(uint64_t bytes) override { return file_->Allocate(bytes); }
    absl::Status Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
    absl::StatusOr<uint64_t> Size() override { return file_->Size(); }

   private:
    GatedDisk& gate_;
    const std::string path_;
    const std::unique_ptr<DiskFile> file_;
    bool dirty_ = false;
  };

  absl::StatusOr<std::unique_ptr<DiskFile>> Gate(const std::string& path,
                                                 absl::StatusOr<std::unique_ptr<DiskFile>> file) {
    if (!file.ok()) return file;
    return std::unique_ptr<DiskFile>(new File(*this, path, *std::move(file)));
  }
  absl::Status Pass(const std::string& path) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
    return path.find(failing_) != std::string::npos ? failure_ : absl::OkStatus();
  }
  void NoteEvicted(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    evicted_bytes_ += bytes;
  }
  void Set(bool open) {
    std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

  Disk& disk_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
  absl::Status failure_;
  std::string failing_;
  uint64_t evicted_bytes_ = 0;
};

}  // namespace viewcount
