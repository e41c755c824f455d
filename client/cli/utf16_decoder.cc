#include "client/cli/utf16_decoder.h"

#include <cstdint>
#include <utility>

namespace viewcount::cli {
namespace {

bool IsHighSurrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

void AppendCodePoint(uint32_t code, std::string& to) {
  if (code < 0x80) {
    to += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | code >> 18);
    to += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  }
  to += static_cast<char>(0x80 | (code & 0x3F));
}

}  // namespace

std::string Utf16Decoder::Decode(std::string_view bytes) {
  std::string joined = std::exchange(kept_, {});
  joined.append(bytes);
  const auto unit = [&](size_t at) {
    const auto first = static_cast<unsigned char>(joined[at]), second = static_cast<unsigned char>(joined[at + 1]);
    return big_endian_ ? uint32_t{first} << 8 | second : uint32_t{second} << 8 | first;
  };
  std::string text;
  size_t at = 0;
  for (; at + 2 <= joined.size(); at += 2) {
    const uint32_t code = unit(at);
    if (IsHighSurrogate(code)) {
      if (at + 4 > joined.size()) break;
      if (const uint32_t low = unit(at + 2); IsLowSurrogate(low)) {
        AppendCodePoint(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), text);
        at += 2;
        continue;
      }
    }
    AppendCodePoint(IsHighSurrogate(code) || IsLowSurrogate(code) ? 0xFFFD : code, text);
  }
  kept_ = joined.substr(at);
  return text;
}

}  // namespace viewcount::cli
