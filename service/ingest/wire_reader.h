// Protobuf's wire format, read forwards: what the decoder is made of.
//
// Accepts byte for byte what Protobuf's own C++ parser (3.21) accepts, oddities included: tags of up to five bytes,
// varints of up to ten whose surplus bits are dropped, lengths below 2^31.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace viewcount {

// The low three bits of a tag.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kEndGroup = 4, kFixed32 = 5 };

constexpr uint32_t WireTag(uint32_t field, WireType type) { return field << 3 | static_cast<uint32_t>(type); }

// How deep groups and messages may lie in each other: Protobuf's default.
inline constexpr int kNestingMax = 100;

// Reads one message. Every Read… returns false at malformed or missing input; the reader is then of no further use.
// Not thread safe. Points into the bytes it was given, and so does what it returns.
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

  // Numbers of 32 bits may come with more; the surplus is dropped.
  bool ReadVarint32(uint32_t& value) {
    uint64_t wide;
    if (!ReadVarint(wide)) return false;
    value = static_cast<uint32_t>(wide);
    return true;
  }

  bool ReadFixed64(uint64_t& value) {
    if (static_cast<size_t>(end_ - at_) < sizeof(value)) return false;
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return true;
  }

  // A length and that many bytes: a string, or anything packed.
  bool ReadBytes(std::string_view& bytes) {
    size_t length;
    if (!ReadLength(length)) return false;
    bytes = {at_, length};
    at_ += length;
    return true;
  }

  // A length and a message of that length, as a reader of its own.
  bool ReadMessage(WireReader& message) {
    size_t length;
    if (!ReadLength(length)) return false;
    message.at_ = at_;
    message.end_ = at_ += length;
    message.readable_end_ = readable_end_;
    return true;
  }

  // Reads past the value of a field that nobody knows; `tag` was just read. Groups may nest `nesting_max` deep.
  bool SkipValue(uint32_t tag, int nesting_max);

 private:
  static_assert(std::endian::native == std::endian::little, "words are loaded as they stand on the wire");

  // A length that the rest of the message has room for.
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

  // Up to eight bytes at once and without a loop: times take six.
  bool ReadLongVarint(uint64_t& value) {
    uint64_t word;
    if (static_cast<size_t>(readable_end_ - at_) < sizeof(word)) return ReadVarintByBytes(value);
    std::memcpy(&word, at_, sizeof(word));
    const uint64_t stops = ~word & 0x8080808080808080;
    if (stops == 0) [[unlikely]]
      return ReadVarintByBytes(value);
    const ptrdiff_t length = std::countr_zero(stops) / 8 + 1;
    if (length > end_ - at_) return false;
    at_ += length;
    // Keeps the bytes up to the first that stops, then closes the gaps between their seven bits: pairs, fours, all.
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
  // The end of the outermost message: what lies between it and `end_` may be loaded, not used.
  const char* readable_end_;
};

}  // namespace viewcount
