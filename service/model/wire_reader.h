// A forward-only reader of Protobuf's wire format, on which the decoder is built.
//
// It accepts exactly the bytes that Protobuf's own C++ parser (3.21) accepts, including its oddities. Tags have up to
// five bytes, varints have up to ten bytes whose surplus bits are dropped, and lengths are below 2^31.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "service/base/little_endian.h"

namespace viewcount {

// The type of a field's value: the low three bits of a tag.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kEndGroup = 4, kFixed32 = 5 };

constexpr uint32_t WireTag(uint32_t field, WireType type) { return field << 3 | static_cast<uint32_t>(type); }

// How deep groups and messages may be nested: Protobuf's default.
inline constexpr int kNestingMax = 100;

// Reads one message. Every Read… function returns false for malformed or missing input; then the reader must not be
// used any more. The reader and the values that it returns point into the bytes that it was given. Not thread-safe.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), readable_end_(end_) {}

  bool AtEnd() const { return at_ == end_; }

  bool ReadTag(uint32_t& tag) {
    if (AtEnd()) return false;
    const auto first = static_cast<uint8_t>(*at_);
    if (first >= 0x80) [[unlikely]]
      return ReadLongTag(tag);
    tag = first;
    ++at_;
    return true;
  }

  bool ReadVarint(uint64_t& value) {
    if (AtEnd()) return false;
    const auto first = static_cast<uint8_t>(*at_);
    if (first >= 0x80) return ReadLongVarint(value);
    value = first;
    ++at_;
    return true;
  }

  // Reads a number of 32 bits. The message may hold more bits; the surplus is dropped.
  bool ReadVarint32(uint32_t& value) {
    uint64_t wide;
    if (!ReadVarint(wide)) return false;
    value = static_cast<uint32_t>(wide);
    return true;
  }

  bool ReadFixed64(uint64_t& value) {
    if (static_cast<size_t>(end_ - at_) < sizeof(value)) return false;
    value = little_endian::Load<uint64_t>(at_);
    at_ += sizeof(value);
    return true;
  }

  // Reads a length and that many bytes: a string, or packed values.
  bool ReadBytes(std::string_view& bytes) {
    size_t length;
    if (!ReadLength(length)) return false;
    bytes = {at_, length};
    at_ += length;
    return true;
  }

  // Reads a length and returns a reader for the message of that length.
  bool ReadMessage(WireReader& message) {
    size_t length;
    if (!ReadLength(length)) return false;
    message.at_ = at_;
    message.end_ = at_ += length;
    message.readable_end_ = readable_end_;
    return true;
  }

  // Skips the value of an unknown field, whose `tag` was just read. Groups may nest up to `nesting_max` levels deep.
  bool SkipValue(uint32_t tag, int nesting_max);

 private:
  // Reads a length. Returns false if the rest of the message is shorter.
  bool ReadLength(size_t& length) {
    if (AtEnd()) return false;
    const auto first = static_cast<uint8_t>(*at_);
    if (first < 0x80) [[likely]] {
      length = first;
      ++at_;
    } else if (!ReadLongLength(length)) {
      return false;
    }
    return length <= static_cast<size_t>(end_ - at_);
  }

  // Reads up to eight bytes in one step, without a loop. Times take six bytes.
  bool ReadLongVarint(uint64_t& value) {
    if (static_cast<size_t>(readable_end_ - at_) < sizeof(uint64_t)) return ReadVarintByBytes(value);
    auto word = little_endian::Load<uint64_t>(at_);
    const uint64_t stops = ~word & 0x8080808080808080;
    if (stops == 0) [[unlikely]]
      return ReadVarintByBytes(value);
    const ptrdiff_t length = std::countr_zero(stops) / 8 + 1;
    if (length > end_ - at_) return false;
    at_ += length;
    // Keeps the bytes up to the first one that ends the varint. Then it closes the gaps between the groups of seven
    // bits: first in pairs, then in fours, then in all eight.
    word &= (stops ^ (stops - 1)) & 0x7F7F7F7F7F7F7F7F;
    word = (word & 0x007F007F007F007F) | (word & 0x7F007F007F007F00) >> 1;
    word = (word & 0x00003FFF00003FFF) | (word & 0x3FFF00003FFF0000) >> 2;
    value = (word & 0x000000000FFFFFFF) | (word & 0x0FFFFFFF00000000) >> 4;
    return true;
  }

  bool ReadLongTag(uint32_t& tag);
  bool ReadLongLength(size_t& length);
  bool ReadVarintByBytes(uint64_t& value);
  bool SkipBytes(size_t count);
  bool SkipGroup(uint32_t start_tag, int nesting_max);

  const char* at_;
  const char* end_;
  // The end of the outermost message. Bytes between `end_` and this end may be loaded but not used.
  const char* readable_end_;
};

}  // namespace viewcount
