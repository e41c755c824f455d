#include "service/web/svg_text.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "service/base/text.h"

namespace viewcount {
namespace {

// Advance widths of the characters from ' ' to '~', in hundredths of the font's size. They are means of DejaVu Sans
// (close to Verdana) and Liberation Sans (metrics of Arial). Most systems show one of these as sans-serif.
constexpr std::array<uint8_t, 95> kAsciiWidths = {
    30,  34, 41, 70, 60, 92, 72, 23, 36, 36, 45, 71, 30, 35, 30, 31,  // ' ' to '/'
    60,  60, 60, 60, 60, 60, 60, 60, 60, 60, 31, 31, 71, 71, 71, 54,  // '0' to '?'
    101, 68, 68, 71, 75, 65, 59, 78, 74, 29, 40, 66, 56, 85, 74, 78,  // '@' to 'O'
    64,  78, 71, 65, 61, 73, 68, 97, 68, 64, 65, 33, 31, 33, 65, 53,  // 'P' to '_'
    42,  58, 60, 52, 60, 59, 32, 60, 60, 25, 25, 54, 25, 90, 60, 58,  // '`' to 'o'
    60,  60, 37, 51, 34, 60, 55, 77, 55, 55, 51, 49, 30, 49, 71,      // 'p' to '~'
};
constexpr double kLetterWidth = 0.61;
constexpr double kWideWidth = 1.0;

uint32_t CodePoint(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xFFU >> (sequence.size() + 1));
  for (size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3FU);
  return code;
}

// Returns false for control characters of ASCII and Latin-1, and for two valid code points that XML forbids.
bool IsKept(uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  return !control && code != 0xFFFE && code != 0xFFFF;
}

// Calls `each(code point, its bytes)` for all characters that are kept.
template <typename Each>
void ForEachKept(std::string_view text, Each each) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceBytes(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    const std::string_view sequence = text.substr(at, length);
    const uint32_t code = CodePoint(sequence);
    if (IsKept(code)) each(code, sequence);
    at += length;
  }
}

// Returns the width of a character, relative to the font's size. Combining marks have no width. East Asian letters and
// emoji take a square.
double WidthOf(uint32_t code) {
  if (code >= 0x20 && code < 0x7F) return kAsciiWidths[code - 0x20] / 100.0;
  const bool mark = (code >= 0x300 && code < 0x370) || (code >= 0x200B && code < 0x2010) ||
                    (code >= 0x20D0 && code < 0x2100) || (code >= 0xFE00 && code < 0xFE10);
  if (mark) return 0;
  const bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) ||
                    (code >= 0xAC00 && code < 0xD7B0) || (code >= 0xF900 && code < 0xFB00) ||
                    (code >= 0xFF00 && code < 0xFF61) || code >= 0x1F000;
  return wide ? kWideWidth : kLetterWidth;
}

}  // namespace

std::string EscapedXml(std::string_view text) {
  std::string escaped;
  ForEachKept(text, [&](uint32_t code, std::string_view sequence) {
    switch (code) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += sequence;
    }
  });
  return escaped;
}

double TextWidth(std::string_view text) {
  double width = 0;
  ForEachKept(text, [&](uint32_t code, std::string_view) { width += WidthOf(code); });
  return width;
}

std::string ThemedStyle(Theme theme, std::string_view light, std::string_view dark) {
  switch (theme) {
    case Theme::kLight:
      return fmt::format("<style>{}</style>", light);
    case Theme::kDark:
      return fmt::format("<style>{}</style>", dark);
    case Theme::kAuto:
      break;
  }
  return fmt::format("<style>{}@media (prefers-color-scheme:dark){{{}}}</style>", light, dark);
}

}  // namespace viewcount
