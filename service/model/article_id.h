// A fast version of IsArticleId for the hot path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount {

// Returns true if none of the word's eight bytes is a control character or lies beyond ASCII.
inline bool IsPrintableAscii(uint64_t word) {
  constexpr uint64_t kEach = 0x0101010101010101;
  // The top bit of a byte is set by the byte itself beyond ASCII, by the difference below 0x20, and by the sum at 0x7F.
  // A borrow or carry into another byte comes only from a byte that is refused anyway.
  return ((word | (word - kEach * 0x20) | (word + kEach)) & kEach * 0x80) == 0;
}

// Returns true if `text` is an article ID of printable ASCII only, as nearly all article IDs are. It checks eight bytes
// at a time.
inline bool IsAsciiArticleId(std::string_view text) {
  const auto word_at = [&](size_t at) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    return word;
  };
  const size_t size = text.size();
  if (size - 1 >= limits::kArticleIdBytesMax) return false;
  if (size < sizeof(uint64_t)) {
    char padded[sizeof(uint64_t)];
    std::memset(padded, ' ', sizeof(padded));
    for (size_t i = 0; i < size; ++i) padded[i] = text.data()[i];
    uint64_t word;
    std::memcpy(&word, padded, sizeof(word));
    return IsPrintableAscii(word);
  }
  for (size_t at = 0; at + sizeof(uint64_t) < size; at += sizeof(uint64_t)) {
    if (!IsPrintableAscii(word_at(at))) return false;
  }
  // The last word overlaps the word before it.
  return IsPrintableAscii(word_at(size - sizeof(uint64_t)));
}

// Returns the same result as IsArticleId.
inline bool IsArticleIdFast(std::string_view text) { return IsAsciiArticleId(text) || IsArticleId(text); }

}  // namespace viewcount
