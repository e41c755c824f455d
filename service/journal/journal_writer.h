// Writes a lane's journal: groups of records, each durable with one sync; segments allocated ahead and recycled.
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

// Begin, Append, Commit, Seal and SetPreamble belong to the lane's thread; the rest is thread safe.
class JournalWriter {
 public:
  struct Options {
    // The lane's folder; exists.
    std::string folder;
    LaneId lane;
    // Of one segment's file.
    uint64_t segment_bytes = limits::kJournalSegmentBytes;
    // Of all files of this journal together.
    uint64_t budget_bytes = limits::kJournalBudgetBytes;
    // How long a segment stays after everything in it is in the store, unless the budget needs its room: Redis may yet
    // come back without its last seconds.
    std::chrono::milliseconds retention = limits::kJournalRetention;
    // Where a journal without any segment begins.
    Position begin;
  };
  // Finds the end of the journal in the folder and cuts off what a crash tore (and logs that), or begins a new one.
  // `disk` and `clock` must outlive the journal. Errors: DATA_LOSS for corruption, naming file, offset and the command
  // that mends it; FAILED_PRECONDITION for another lane's or a newer format's journal, or a missing segment.
  static absl::StatusOr<std::unique_ptr<JournalWriter>> Open(Disk& disk, const Clock& clock, Options options);
  ~JournalWriter();

  // What every segment is to begin with: asked whenever one is started, within Begin. Its records are durable, and
  // before end(), when Begin returns.
  void SetPreamble(std::function<std::vector<RecordDraft>()> preamble);

  // Makes room for a group of `records` records with `bytes` bytes of payload together, in a new segment if need be.
  // Forgets what was appended since the last Commit. RESOURCE_EXHAUSTED with RetryInfo: disk or budget is full; nothing
  // has changed, ask again later. Any other error is final, as Commit's.
  absl::Status Begin(size_t records, size_t bytes);
  // Whether the bytes of a body stay where they are until Commit has returned, so that they need not be copied.
  enum class Body : uint8_t { kGoes, kStays };
  // Adds a record (its payload in two pieces) and returns the position behind it. Within what Begin made room for.
  Position Append(RecordType type, std::string_view head, std::string_view body = {}, Body kind = Body::kGoes);
  // Makes the group durable: one write, one sync. An error is final: what the disk holds is unknown, and nothing may be
  // acknowledged any more.
  absl::Status Commit();

  // Notes behind the last group, unless it is noted already, that it was durable, so that a bit which flips in it later
  // is told from a torn write. To be called when nothing waits to be written, and at an orderly stop. Costs a write and
  // no sync; does not move end(); nothing depends on its success.
  void Seal();

  // Behind the last durable record.
  Position end() const;
  // Where the oldest segment begins: nothing before it can be read.
  Position begin() const;
  // Of all files.
  uint64_t bytes() const;

  // Prepares the next segment, and lets go of segments in which everything is before `needed`: those for which that has
  // been so for the retention, and as many younger ones as the next segment's room demands. The newest always stays. To
  // be called now and then, not from the lane's thread. RESOURCE_EXHAUSTED: no room for the next segment yet. Other
  // errors are the disk's; the files are in order in any case.
  absl::Status Maintain(Position needed);

  // Changes Options::budget_bytes and Options::retention. A budget below four segments counts as four segments. Less
  // than is in use: no new segment is made until enough of them have gone. Thread safe.
  void SetLimits(uint64_t budget_bytes, std::chrono::milliseconds retention);

  // As long as it lives, no segment with anything from `from` on goes away. What was let go before stays away: look at
  // begin() after, not before. May outlive the journal.
  class Pin;
  Pin Hold(Position from);

 private:
  class Impl;
  explicit JournalWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Movable; one thread at a time.
class JournalWriter::Pin {
 public:
  Pin(std::shared_ptr<JournalPins> pins, Position from);
  Pin(Pin&& other) noexcept = default;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

 private:
  // None after a move.
  std::shared_ptr<JournalPins> pins_;
  Position from_;
};

}  // namespace viewcount
