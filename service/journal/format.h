// Encodes and decodes the headers of the journal's segments and records. service/journal/FORMAT.md describes the bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/base/little_endian.h"
#include "service/journal/record.h"

namespace viewcount {

// The format version that is written, and the oldest one that is read. Format 1 holds no decisions about views,
// and formats 1 and 2 hold no parts of imports.
inline constexpr uint32_t kJournalFormatVersion = 3;
inline constexpr uint32_t kJournalFormatVersionMin = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 20;

// A position in a segment and the checksum that is stored there. A segment's header contains the mark of the last
// record before it.
struct RecordMark {
  // Where a record begins, or where the segment's header begins if the segment has no record yet.
  Position begin;
  uint32_t checksum = 0;
  bool operator==(const RecordMark&) const = default;
};

// The header of a segment. All fields about the previous segment are 0 in a lane's first segment.
struct SegmentHeader {
  uint32_t version = kJournalFormatVersion;
  LaneId lane;
  Position start;
  Position previous_start;
  RecordMark previous_last;
  bool operator==(const SegmentHeader&) const = default;
};
using SegmentHeaderBytes = std::array<char, kSegmentHeaderBytes>;

// Encodes a segment's header, with its checksum.
SegmentHeaderBytes EncodeSegmentHeader(const SegmentHeader& header);
// Decodes a segment's header. Returns nothing if the magic or the checksum is wrong. If the version is newer than
// kJournalFormatVersion, only `version` is reliable.
std::optional<SegmentHeader> DecodeSegmentHeader(std::span<const char, kSegmentHeaderBytes> bytes);
// Returns the mark of a segment without records: the mark of its header.
RecordMark MarkOf(const SegmentHeader& header);

// The header of a record.
struct RecordHeader {
  RecordType type = RecordType::kVoid;
  Position begin;
  // Where the record's group begins. Everything before this position was durable when the record was written.
  Position group_begin;
  uint32_t payload_bytes = 0;
  uint32_t payload_checksum = 0;
  // The checksum of the header itself.
  uint32_t checksum = 0;

  Position end() const { return {begin.value + kRecordHeaderBytes + payload_bytes}; }
  RecordMark mark() const { return {begin, checksum}; }
};

// Encodes and decodes the record headers of one lane. Immutable; thread-safe.
class RecordFormat {
 public:
  explicit RecordFormat(const LaneId& lane);
  // Writes the header's kRecordHeaderBytes bytes to `out` and returns its checksum. Ignores `header.checksum`.
  uint32_t Encode(const RecordHeader& header, char* out) const;
  // Decodes the kRecordHeaderBytes bytes at `bytes`. Returns nothing unless they are a header that was written for
  // position `at`.
  std::optional<RecordHeader> Decode(Position at, const char* bytes) const;
  // Returns false for most bytes that are not a record header. It costs one comparison.
  static bool IsPlausible(const char* bytes) {
    // The number consists of the record type and the three zero bytes after it.
    const auto type = little_endian::Load<uint32_t>(bytes + kRecordHeaderBytes - sizeof(uint32_t));
    return type - 1 < static_cast<uint32_t>(RecordType::kCommit);
  }

 private:
  uint32_t Checksum(Position at, const char* bytes) const;
  // The checksum of the lane ID. Every record's checksum begins with it.
  uint32_t seed_;
};

}  // namespace viewcount
