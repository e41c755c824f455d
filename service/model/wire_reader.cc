#include "service/model/wire_reader.h"

namespace viewcount {
namespace {

constexpr int kTagBytesMax = 5;
constexpr int kVarintBytesMax = 10;
constexpr int kLengthBytesMax = 5;
// Lengths are below 2^31, so the fifth byte holds three bits.
constexpr uint8_t kLengthLastByteMax = 7;

}  // namespace

bool WireReader::ReadLongTag(uint32_t& tag) {
  uint32_t value = 0;
  for (int i = 0; i < kTagBytesMax && !AtEnd(); ++i) {
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= static_cast<uint32_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      tag = value;
      return true;
    }
  }
  return false;
}

bool WireReader::ReadLongLength(size_t& length) {
  uint32_t value = 0;
  for (int i = 0; i < kLengthBytesMax && !AtEnd(); ++i) {
    const auto byte = static_cast<uint8_t>(*at_++);
    if (i == kLengthBytesMax - 1 && byte > kLengthLastByteMax) return false;
    value |= static_cast<uint32_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      length = value;
      return true;
    }
  }
  return false;
}

bool WireReader::ReadVarintByBytes(uint64_t& value) {
  value = 0;
  for (int i = 0; i < kVarintBytesMax && !AtEnd(); ++i) {
    const auto byte = static_cast<uint8_t>(*at_++);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) return true;
  }
  return false;
}

bool WireReader::SkipBytes(size_t count) {
  if (count > static_cast<size_t>(end_ - at_)) return false;
  at_ += count;
  return true;
}

bool WireReader::SkipValue(uint32_t tag, int nesting_max) {
  // Protobuf has no field 0.
  if (tag >> 3 == 0) return false;
  switch (static_cast<WireType>(tag & 7)) {
    case WireType::kVarint: {
      uint64_t ignored;
      return ReadVarint(ignored);
    }
    case WireType::kFixed64:
      return SkipBytes(8);
    case WireType::kBytes: {
      std::string_view ignored;
      return ReadBytes(ignored);
    }
    case WireType::kGroup:
      return SkipGroup(tag, nesting_max);
    case WireType::kFixed32:
      return SkipBytes(4);
    case WireType::kEndGroup:
      break;
  }
  return false;
}

bool WireReader::SkipGroup(uint32_t start_tag, int nesting_max) {
  if (nesting_max == 0) return false;
  const uint32_t end_tag = start_tag + 1;
  static_assert(static_cast<int>(WireType::kEndGroup) == static_cast<int>(WireType::kGroup) + 1);
  uint32_t tag;
  while (ReadTag(tag)) {
    if (tag == end_tag) return true;
    if (!SkipValue(tag, nesting_max - 1)) return false;
  }
  return false;
}

}  // namespace viewcount
