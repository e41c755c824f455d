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

// Begin, Append and Commit belong to the lane's thread; the rest is thread safe.
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

  // What every segment is to begin with: asked whenever one is started.
  void SetPreamble(std::function<std::vector<RecordDraft>()> preamble);

  // Makes room for a group of `records` records with `bytes` bytes of payload together, in a new segment if need be.
  // RESOURCE_EXHAUSTED: disk or budget is full; nothing has changed, ask again later.
  absl::Status Begin(size_t records, size_t bytes);
  // Adds a record (its payload in two pieces) and returns the position behind it. Within what Begin made room for.
  Position Append(RecordType type, std::string_view head, std::string_view body = {});
  // Makes the group durable: one write, one sync. An error is final: what the disk holds is unknown, and nothing may be
  // acknowledged any more.
  absl::Status Commit();

  // Behind the last durable record.
  Position end() const;
  // Where the oldest segment begins: nothing before it can be read.
  Position begin() const;
  // Of all files.
  uint64_t bytes() const;

  // Prepares the next segment, and lets go of segments in which everything is before `needed`: those older than the
  // retention, and as many younger ones as the budget demands. To be called now and then, not from the lane's thread.
  // RESOURCE_EXHAUSTED: no room for the next segment yet.
  absl::Status Maintain(Position needed);

  // As long as it lives, no segment with anything from `from` on goes away.
  class Pin;
  Pin Hold(Position from);

 private:
  class Impl;
  explicit JournalWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace viewcount
