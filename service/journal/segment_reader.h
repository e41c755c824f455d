// Reads the records of one segment forward, and finds where they are broken.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "service/base/disk.h"
#include "service/journal/format.h"

namespace viewcount {

// Reads one segment. Not thread-safe. It reads nothing at or after `limit`, so a writer may write there at the same
// time.
class SegmentReader {
 public:
  // `file` is the file of the segment at `start` and must outlive the reader. `limit` is the segment's end. If that is
  // not known, it is the end of the file.
  SegmentReader(DiskFile& file, const LaneId& lane, Position start, Position limit);

  // The result of Next.
  enum class Step {
    // A whole record was read.
    kRecord,
    // The bytes at position() are not a whole record.
    kBroken,
    // position() has reached the limit.
    kEnd,
  };
  // Reads the next record. After kBroken the position does not change. Errors are those of the file.
  absl::StatusOr<Step> Next();

  // Returns the position after the last record.
  Position position() const { return position_; }
  // header() returns the header of the last record. After kBroken it is the header of the broken record, if that header
  // is whole. The payload is valid until the next call.
  const std::optional<RecordHeader>& header() const { return header_; }
  std::string_view payload() const { return payload_; }

  // Returns the first whole record header at or after `from`. Costs one comparison for each byte.
  absl::StatusOr<std::optional<RecordHeader>> FindHeader(Position from);
  // Continues at `position`.
  void Skip(Position position) { position_ = position; }

  // Call it after Next returned kBroken. Searches up to the limit for a later record which proves that the broken bytes
  // had been durable.
  absl::StatusOr<std::optional<RecordHeader>> FindProof();
  // Call it if FindProof found nothing. Returns the number of bytes that seem to belong to a group that was never
  // acknowledged. Old bytes of an earlier segment in a recycled file do not count.
  absl::StatusOr<uint64_t> TornBytes();

 private:
  // Returns `bytes` bytes at `at`, or fewer at the limit or at the file's end.
  absl::StatusOr<std::string_view> View(Position at, size_t bytes);
  void Reserve(size_t bytes);

  DiskFile& file_;
  const RecordFormat format_;
  const Position start_;
  const Position limit_;
  Position position_;
  std::optional<RecordHeader> header_;
  std::string_view payload_;

  // The bytes of the segment from buffer_begin_ on.
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t filled_ = 0;
  Position buffer_begin_;
};

}  // namespace viewcount
