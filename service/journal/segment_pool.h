// Manages the files of a journal: their total size, the spare files for later segments, and which segments may be
// deleted.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/mutex.h"
#include "service/journal/journal_recovery.h"

namespace viewcount {

// The positions from which segments must be kept. Thread-safe.
class JournalPins {
 public:
  void Add(Position from);
  void Remove(Position from);
  // Returns the lowest position, or nothing if there is none.
  std::optional<Position> First() const;

 private:
  mutable Mutex mutex_;
  std::multiset<Position> pins_ ABSL_GUARDED_BY(mutex_);
};

// The files of one journal. Thread-safe. Disk work is done without holding the lock, so no call waits for the disk work
// of another one. Changes of file names are durable when a call returns. `disk` and `clock` must outlive the pool.
class SegmentPool {
 public:
  // JournalWriter::Options describes these fields.
  struct Options {
    std::string folder;
    uint64_t segment_bytes = 0;
    uint64_t budget_bytes = 0;
    std::chrono::milliseconds retention{};
  };
  // A file that is not a segment yet, or no longer one. Its content has no meaning.
  struct Spare {
    std::string path;
    std::unique_ptr<DiskFile> file;
    uint64_t bytes = 0;
  };
  SegmentPool(Disk& disk, const Clock& clock, Options options, const std::vector<SegmentFile>& segments);

  // Returns a spare file of at least `bytes`. If none is ready, Take makes one, if necessary from segments that have
  // not reached their retention. Returns RESOURCE_EXHAUSTED if the disk or the budget is full, as FullOf reports. No
  // segment that is still needed has changed then.
  absl::StatusOr<Spare> Take(uint64_t bytes);
  // Converts the RESOURCE_EXHAUSTED of a full disk into a ServiceFull error.
  static absl::Status NoRoom(const absl::Status& status);
  // Deletes the spare's file.
  absl::Status Discard(Spare spare);
  // Makes the spare the newest segment and returns its file. The spare's content must be durable.
  absl::StatusOr<std::unique_ptr<DiskFile>> Publish(Spare spare, Position start);
  // See JournalWriter::Maintain.
  absl::Status Maintain(Position needed);
  // See JournalWriter::SetLimits.
  void SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);

  // Returns where the oldest segment begins, or nothing if there is none.
  std::optional<Position> begin() const;
  // Returns the size of all files in bytes.
  uint64_t bytes() const;
  const std::shared_ptr<JournalPins>& pins() const { return pins_; }

 private:
  struct Segment {
    SegmentFile file;
    // When Maintain first found that everything in the segment is before the needed position.
    std::optional<SteadyTime> done;
  };
  absl::Status Reserve(uint64_t bytes);
  // Returns a ready spare, or makes a new one.
  absl::StatusOr<Spare> TakeOrMake(uint64_t bytes);
  absl::StatusOr<Spare> Make(uint64_t bytes);
  std::string NextSparePath();
  bool HasSpare() const;
  void MarkDone(Position needed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(maintain_mutex_);
  // Removes the oldest segment from the list if it may be deleted. It must be done and not pinned, and its retention
  // must have passed unless `early`.
  std::optional<SegmentFile> Release(bool early) ABSL_EXCLUSIVE_LOCKS_REQUIRED(maintain_mutex_);
  absl::Status Recycle(const SegmentFile& segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(maintain_mutex_);

  Disk& disk_;
  const Clock& clock_;
  const std::string folder_;
  const uint64_t segment_bytes_;
  const std::shared_ptr<JournalPins> pins_ = std::make_shared<JournalPins>();
  // Held while segments are released: they must leave in order, so only one call at a time may release them.
  Mutex maintain_mutex_;
  mutable Mutex mutex_;
  uint64_t budget_bytes_ ABSL_GUARDED_BY(mutex_);
  std::chrono::milliseconds retention_ ABSL_GUARDED_BY(mutex_);
  std::deque<Segment> segments_ ABSL_GUARDED_BY(mutex_);
  std::vector<Spare> spares_ ABSL_GUARDED_BY(mutex_);
  // The size of all files, including those that are being made.
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t spare_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace viewcount
