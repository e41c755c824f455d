// The files of a journal as a stock: how much room they take, which are ready for use, and which may go.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/journal/journal_recovery.h"

namespace viewcount {

// From which positions on segments must stay. Thread safe.
class JournalPins {
 public:
  void Add(Position from);
  void Remove(Position from);
  // The lowest.
  std::optional<Position> First() const;

 private:
  mutable std::mutex mutex_;
  std::multiset<Position> pins_;
};

// Thread safe; disk work is done outside of its lock, so that no call waits for another's. Names in the folder last
// when a call returns. `disk` and `clock` must outlive it.
class SegmentPool {
 public:
  struct Options {
    std::string folder;
    uint64_t segment_bytes = 0;
    uint64_t budget_bytes = 0;
    std::chrono::milliseconds retention{};
  };
  // A file that is not yet, or no longer, a segment. Its content means nothing.
  struct Spare {
    std::string path;
    std::unique_ptr<DiskFile> file;
    uint64_t bytes = 0;
  };
  SegmentPool(Disk& disk, const Clock& clock, Options options, const std::vector<SegmentFile>& segments);

  // A spare of at least `bytes`, made now if none is ready, if need be from segments that may go before their time.
  // RESOURCE_EXHAUSTED: disk or budget is full, as FullOf says, and of the segments nothing has changed that is needed.
  absl::StatusOr<Spare> Take(uint64_t bytes);
  // ServiceFull for the RESOURCE_EXHAUSTED of a disk that is full.
  static absl::Status NoRoom(const absl::Status& status);
  // Takes the spare's file away.
  absl::Status Discard(Spare spare);
  // Makes the spare, whose content must be durable, the newest segment, and returns its file.
  absl::StatusOr<std::unique_ptr<DiskFile>> Publish(Spare spare, Position start);
  // As JournalWriter::Maintain.
  absl::Status Maintain(Position needed);
  // As JournalWriter::SetLimits.
  void SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);

  // Where the oldest segment begins; nothing if there is none.
  std::optional<Position> begin() const;
  // Of all files.
  uint64_t bytes() const;
  const std::shared_ptr<JournalPins>& pins() const { return pins_; }

 private:
  struct Segment {
    SegmentFile file;
    // When Maintain first found everything in it to be before what is needed.
    std::optional<SteadyTime> done;
  };
  absl::Status Reserve(uint64_t bytes);
  // A spare that is ready, or else a new one.
  absl::StatusOr<Spare> TakeOrMake(uint64_t bytes);
  absl::StatusOr<Spare> Make(uint64_t bytes);
  std::string NextSparePath();
  bool HasSpare() const;
  void MarkDone(Position needed);
  // Takes the oldest segment off the list if it may go: because it is old enough or, if `early`, in any case.
  std::optional<SegmentFile> Release(bool early);
  absl::Status Recycle(const SegmentFile& segment);

  Disk& disk_;
  const Clock& clock_;
  // Budget and retention: under mutex_. The rest does not change.
  Options options_;
  const std::shared_ptr<JournalPins> pins_ = std::make_shared<JournalPins>();
  // Segments go in order, so one call at a time lets go of them.
  std::mutex maintain_mutex_;
  mutable std::mutex mutex_;
  // Below: under mutex_.
  std::deque<Segment> segments_;
  std::vector<Spare> spares_;
  // With what is being made.
  uint64_t bytes_ = 0;
  uint64_t spare_number_ = 0;
};

}  // namespace viewcount
