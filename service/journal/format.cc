#include "service/journal/format.h"

#include <cstring>

#include "service/base/crc32c.h"
#include "service/base/limits.h"
#include "service/base/little_endian.h"

namespace viewcount {
namespace {

using little_endian::Load, little_endian::Store;

constexpr std::string_view kMagic = "VCJOURNL";

// The offsets of the fields; see FORMAT.md.
constexpr size_t kVersionAt = 8, kSegmentChecksumAt = 12, kLaneAt = 16, kStartAt = 32, kPreviousStartAt = 40,
                 kPreviousLastAt = 48, kPreviousChecksumAt = 56;
constexpr size_t kPayloadChecksumAt = 4, kPayloadBytesAt = 8, kDistanceAt = 12, kTypeAt = 16;

uint32_t SegmentChecksum(const char* bytes) {
  const uint32_t head = Crc32c({bytes, kSegmentChecksumAt});
  return Crc32c({bytes + kLaneAt, kSegmentHeaderBytes - kLaneAt}, head);
}

}  // namespace

SegmentHeaderBytes EncodeSegmentHeader(const SegmentHeader& header) {
  SegmentHeaderBytes bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  Store(&bytes[kVersionAt], header.version);
  std::memcpy(&bytes[kLaneAt], header.lane.bytes.data(), header.lane.bytes.size());
  Store(&bytes[kStartAt], header.start.value);
  Store(&bytes[kPreviousStartAt], header.previous_start.value);
  Store(&bytes[kPreviousLastAt], header.previous_last.begin.value);
  Store(&bytes[kPreviousChecksumAt], header.previous_last.checksum);
  Store(&bytes[kSegmentChecksumAt], SegmentChecksum(bytes.data()));
  return bytes;
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::span<const char, kSegmentHeaderBytes> bytes) {
  if (std::string_view(bytes.data(), kMagic.size()) != kMagic) return std::nullopt;
  if (Load<uint32_t>(&bytes[kSegmentChecksumAt]) != SegmentChecksum(bytes.data())) return std::nullopt;
  SegmentHeader header;
  header.version = Load<uint32_t>(&bytes[kVersionAt]);
  std::memcpy(header.lane.bytes.data(), &bytes[kLaneAt], header.lane.bytes.size());
  header.start.value = Load<uint64_t>(&bytes[kStartAt]);
  header.previous_start.value = Load<uint64_t>(&bytes[kPreviousStartAt]);
  header.previous_last.begin.value = Load<uint64_t>(&bytes[kPreviousLastAt]);
  header.previous_last.checksum = Load<uint32_t>(&bytes[kPreviousChecksumAt]);
  return header;
}

RecordMark MarkOf(const SegmentHeader& header) {
  return {header.start, Load<uint32_t>(EncodeSegmentHeader(header).data() + kSegmentChecksumAt)};
}

RecordFormat::RecordFormat(const LaneId& lane)
    : seed_(Crc32c({reinterpret_cast<const char*>(lane.bytes.data()), lane.bytes.size()})) {}

uint32_t RecordFormat::Checksum(Position at, const char* bytes) const {
  char covered[sizeof(at.value) + kRecordHeaderBytes - kPayloadChecksumAt];
  Store(covered, at.value);
  std::memcpy(covered + sizeof(at.value), bytes + kPayloadChecksumAt, kRecordHeaderBytes - kPayloadChecksumAt);
  return Crc32c({covered, sizeof(covered)}, seed_);
}

uint32_t RecordFormat::Encode(const RecordHeader& header, char* out) const {
  Store(out + kPayloadChecksumAt, header.payload_checksum);
  Store(out + kPayloadBytesAt, header.payload_bytes);
  Store(out + kDistanceAt, static_cast<uint32_t>(header.begin.value - header.group_begin.value));
  // This also writes the three zero bytes after the type.
  Store(out + kTypeAt, static_cast<uint32_t>(header.type));
  const uint32_t checksum = Checksum(header.begin, out);
  Store(out, checksum);
  return checksum;
}

std::optional<RecordHeader> RecordFormat::Decode(Position at, const char* bytes) const {
  if (!IsPlausible(bytes)) return std::nullopt;
  const uint32_t payload_bytes = Load<uint32_t>(bytes + kPayloadBytesAt);
  const uint32_t distance = Load<uint32_t>(bytes + kDistanceAt);
  if (payload_bytes > limits::kJournalPayloadBytesMax || distance > at.value) return std::nullopt;
  const uint32_t checksum = Load<uint32_t>(bytes);
  if (checksum != Checksum(at, bytes)) return std::nullopt;
  return RecordHeader{.type = static_cast<RecordType>(bytes[kTypeAt]),
                      .begin = at,
                      .group_begin = {at.value - distance},
                      .payload_bytes = payload_bytes,
                      .payload_checksum = Load<uint32_t>(bytes + kPayloadChecksumAt),
                      .checksum = checksum};
}

}  // namespace viewcount
