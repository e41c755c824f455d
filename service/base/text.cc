#include "service/base/text.h"

#include "service/base/limits.h"

namespace viewcount {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

// The rules are from table 3-7 of the Unicode Standard, chapter 3.9.
size_t Utf8SequenceBytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const auto follows = [&](size_t count) {
    if (text.size() - at <= count) return false;
    for (size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return follows(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!follows(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead > 0xF4 || !follows(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return 4;
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceBytes(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

bool IsArticleId(std::string_view text) {
  if (text.empty() || text.size() > limits::kArticleIdBytesMax) return false;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte < 0x80) {
      if (byte < 0x20 || byte == 0x7F) return false;
      ++at;
      continue;
    }
    const size_t length = Utf8SequenceBytes(text, at);
    if (length == 0) return false;
    // The control characters U+0080 to U+009F are encoded as C2 80 to C2 9F.
    if (byte == 0xC2 && static_cast<uint8_t>(text[at + 1]) < 0xA0) return false;
    at += length;
  }
  return true;
}

bool IsSiteName(std::string_view text) {
  if (text.empty() || text.size() > limits::kSiteNameBytesMax || !IsLetterOrDigit(text[0])) return false;
  for (char c : text) {
    if (!IsLetterOrDigit(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

std::string Grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

}  // namespace viewcount
