// Writes a lane's journal. Records are written in groups, each of which is made durable by one sync. Segments are
// allocated ahead and recycled.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/limits.h"
#include "service/journal/record.h"

namespace viewcount {

class JournalPins;

// The journal of one lane, open for writing. Begin, Append, Commit, WriteCommitMarker and SetPreamble are called by the
// lane's thread only. All other functions are thread-safe. Owns the journal's files.
class JournalWriter {
 public:
  struct Options {
    // The lane's folder, which must exist.
    std::string folder;
    LaneId lane;
    // The size of one segment's file in bytes.
    uint64_t segment_bytes = limits::kJournalSegmentBytes;
    // The maximum size of all files of this journal in bytes.
    uint64_t budget_bytes = limits::kJournalBudgetBytes;
    // How long a segment is kept after everything in it is in the store, unless the budget needs its room. Redis may
    // still come back without its last seconds.
    std::chrono::milliseconds retention = limits::kJournalRetention;
    // Where a journal without any segment begins.
    Position begin;
  };
  // Opens the journal in the folder, or begins a new one. Finds the journal's end, cuts off a torn write of a crash,
  // and logs that. `disk` and `clock` must outlive the journal. Returns DATA_LOSS for corruption; the message names
  // file, offset and the command for the repair. Returns FAILED_PRECONDITION if the journal belongs to another lane,
  // has a newer format or lacks a segment.
  static absl::StatusOr<std::unique_ptr<JournalWriter>> Open(Disk& disk, const Clock& clock, Options options);
  ~JournalWriter();

  // Sets the function that provides the first records of every segment. Begin calls it when it starts a segment. When
  // Begin returns, these records are durable and lie before end().
  void SetPreamble(std::function<std::vector<RecordDraft>()> preamble);

  // Makes room for a group of `records` records with `bytes` bytes of payload in total, if necessary in a new segment.
  // Discards records that were appended since the last Commit. Returns RESOURCE_EXHAUSTED with RetryInfo if the disk or
  // the budget is full: then nothing has changed, and the caller may try again later. Any other error is final, as in
  // Commit.
  absl::Status Begin(size_t records, size_t bytes);
  // Says whether a body's bytes stay valid until Commit has returned (kBorrow), so that they need not be copied.
  enum class Body : uint8_t { kCopy, kBorrow };
  // Adds a record, whose payload is passed in two pieces. Returns the position after the record. The group must not
  // exceed what Begin made room for.
  Position Append(RecordType type, std::string_view head, std::string_view body = {}, Body kind = Body::kCopy);
  // Makes the group durable with one write and one sync. An error is final: the disk's content is then unknown, and
  // nothing may be acknowledged any more.
  absl::Status Commit();

  // Writes a commit record after the last group, unless there is one already. It proves that the group was durable, so
  // a bit that flips in the group later is not taken for a torn write. Call it when no records wait to be written, and
  // at an orderly stop. It costs a write but no sync, and does not move end(). Nothing depends on its success.
  void WriteCommitMarker();

  // Returns the position after the last durable record.
  Position end() const;
  // Returns where the oldest segment begins. Nothing before it can be read.
  Position begin() const;
  // Returns the size of all files in bytes.
  uint64_t bytes() const;

  // Prepares the next segment, and releases segments in which everything is before `needed`. It releases segments for
  // which that has been true for the retention. It also releases younger ones if the next segment needs their room. The
  // newest segment always stays. Call it periodically, but not from the lane's thread. Returns RESOURCE_EXHAUSTED if
  // there is no room for the next segment yet. Other errors are those of the disk; the files are in order in any case.
  absl::Status Maintain(Position needed);

  // Changes Options::budget_bytes and Options::retention. A budget below four segments counts as four segments. If the
  // budget is less than what is in use, no new segment is made until enough segments have been released. Thread-safe.
  void SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);

  // A Pin prevents the release of every segment that holds positions at or after `from`. It does not bring back
  // segments that were released before: call begin() after creating the Pin, not before. A Pin may outlive the journal.
  class Pin;
  Pin Hold(Position from);

 private:
  class Impl;
  explicit JournalWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Keeps segments from being released; see Hold. Movable. Not thread-safe.
class JournalWriter::Pin {
 public:
  Pin(std::shared_ptr<JournalPins> pins, Position from);
  Pin(Pin&& other) noexcept = default;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

 private:
  // Null after a move.
  std::shared_ptr<JournalPins> pins_;
  Position from_;
};

}  // namespace viewcount
