// Bytes of the journal, both ways; service/journal/FORMAT.md describes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/journal/record.h"

namespace viewcount {

// What is written. The older ones that are read hold less: in format 1 nothing was decided about views.
inline constexpr uint32_t kJournalFormatVersion = 2;
inline constexpr uint32_t kJournalFormatVersionMin = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 20;

// A place in a segment and the checksum that stands there; by it the next segment names what it follows.
struct RecordMark {
  // Of a record, or of the segment's header if there is no record yet.
  Position begin;
  uint32_t checksum = 0;
  bool operator==(const RecordMark&) const = default;
};

struct SegmentHeader {
  uint32_t version = kJournalFormatVersion;
  LaneId lane;
  Position start;
  Position previous_start;
  RecordMark previous_last;
  bool operator==(const SegmentHeader&) const = default;
};
using SegmentHeaderBytes = std::array<char, kSegmentHeaderBytes>;

SegmentHeaderBytes EncodeSegmentHeader(const SegmentHeader& header);
// Nothing if the checksum is wrong. Of a newer version only `version` is to be relied upon.
std::optional<SegmentHeader> DecodeSegmentHeader(std::span<const char, kSegmentHeaderBytes> bytes);
// What a segment without records is marked by.
RecordMark MarkOf(const SegmentHeader& header);

struct RecordHeader {
  RecordType type = RecordType::kVoid;
  Position begin;
  // Everything before it was durable when the record was written.
  Position group_begin;
  uint32_t payload_bytes = 0;
  uint32_t payload_checksum = 0;
  // Of the header itself.
  uint32_t checksum = 0;

  Position end() const { return {begin.value + kRecordHeaderBytes + payload_bytes}; }
  RecordMark mark() const { return {begin, checksum}; }
};

// Record headers of one lane. Immutable; thread safe.
class RecordFormat {
 public:
  explicit RecordFormat(const LaneId& lane);
  // Writes the header to `out`, kRecordHeaderBytes long, and returns its checksum; that in `header` is ignored.
  uint32_t Encode(const RecordHeader& header, char* out) const;
  // The header at `bytes`, kRecordHeaderBytes long, if it was written for position `at`.
  std::optional<RecordHeader> Decode(Position at, const char* bytes) const;
  // False for most of what is no header, at the cost of one comparison.
  static bool IsPlausible(const char* bytes) {
    // The type, and the three zeros behind it.
    uint32_t type;
    std::memcpy(&type, bytes + kRecordHeaderBytes - sizeof(type), sizeof(type));
    return type - 1 < static_cast<uint32_t>(RecordType::kCommit);
  }

 private:
  uint32_t Checksum(Position at, const char* bytes) const;
  // Of the lane ID, which every checksum begins with.
  uint32_t seed_;
};

}  // namespace viewcount
