// Reads one segment's records forward, and finds out where they are broken.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "service/base/disk.h"
#include "service/journal/format.h"

namespace viewcount {

// One thread. Reads nothing behind `limit`, so that a writer may be at work there.
class SegmentReader {
 public:
  // `file` is that of the segment at `start`, and must outlive the reader. `limit` is where the segment ends or, if
  // that is unknown, what the file could hold.
  SegmentReader(DiskFile& file, const LaneId& lane, Position start, Position limit);

  enum class Step {
    kRecord,
    // What is at position() is no record, or not all of one.
    kBroken,
    // position() is the limit.
    kEnd,
  };
  // Goes to the next record. After kBroken it stays. Errors are the file's.
  absl::StatusOr<Step> Next();

  // Behind the last record.
  Position position() const { return position_; }
  // Of the last record; after kBroken of the broken one if its header is whole. The payload is valid until the next
  // call.
  const std::optional<RecordHeader>& header() const { return header_; }
  std::string_view payload() const { return payload_; }

  // The first whole record header at `from` or behind; costs a comparison a byte.
  absl::StatusOr<std::optional<RecordHeader>> FindHeader(Position from);
  // Goes on at `position`.
  void Skip(Position position) { position_ = position; }

  // For the place where Next said kBroken: a record behind, up to the limit, that proves that it had been durable.
  absl::StatusOr<std::optional<RecordHeader>> FindProof();
  // If there is none: how much of a group that was never acknowledged there seems to be. What an earlier segment left
  // in a recycled file is none of it.
  absl::StatusOr<uint64_t> TornBytes();

 private:
  // `bytes` bytes at `at`, or as many as there are before the limit and the file's end.
  absl::StatusOr<std::string_view> View(Position at, size_t bytes);
  void Reserve(size_t bytes);

  DiskFile& file_;
  const RecordFormat format_;
  const Position start_;
  const Position limit_;
  Position position_;
  std::optional<RecordHeader> header_;
  std::string_view payload_;

  // The bytes from buffer_begin_ on.
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t filled_ = 0;
  Position buffer_begin_;
};

}  // namespace viewcount
