#include "client/cli/log_text.h"

#include <algorithm>
#include <cstdint>

namespace viewcount::cli {
namespace {

// Appends a code point of the basic plane as UTF-8. A surrogate becomes U+FFFD.
void AppendUtf8(uint32_t code, std::string& to) {
  if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Returns the number that the `size` hexadecimal digits at `at` form, or -1.
int HexAt(std::string_view text, size_t at, size_t size) {
  if (at + size > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + size; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Returns the character that the letter after a backslash stands for, or 0.
char SimpleEscape(char letter) {
  switch (letter) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '"':
    case '\\':
    case '/':
      return letter;
    default:
      return 0;
  }
}

}  // namespace

bool IsDecimal(char c) { return c >= '0' && c <= '9'; }

bool IsDecimalNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDecimal);
}

int HexDigit(char c) {
  if (IsDecimal(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const size_t end = text.find_last_not_of(kBlanks) + 1;
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

std::string_view TakeUntil(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<std::string_view> TakeQuoted(std::string_view& rest) {
  if (rest.empty() || rest[0] != '"') return std::nullopt;
  size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) return std::nullopt;
  const auto field = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  if (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  return field;
}

int StatusOf(std::string_view text) {
  if (text.size() != 3 || !IsDecimalNumber(text)) return 0;
  return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

void Unescape(std::string_view text, std::string& to) {
  to.clear();
  for (size_t at = 0; at < text.size();) {
    const size_t escape = std::min(text.find('\\', at), text.size());
    to.append(text.substr(at, escape - at));
    at = escape;
    if (at == text.size()) return;
    const char letter = at + 1 < text.size() ? text[at + 1] : '\0';
    const size_t digits = letter == 'x' ? 2 : 4;
    const int code = letter == 'x' || letter == 'u' ? HexAt(text, at + 2, digits) : -1;
    if (code >= 0) {
      // \xNN stands for a byte, and \uNNNN for a character.
      if (letter == 'x') {
        to += static_cast<char>(code);
      } else {
        AppendUtf8(static_cast<uint32_t>(code), to);
      }
      at += 2 + digits;
    } else if (const char simple = SimpleEscape(letter); simple != 0) {
      to += simple;
      at += 2;
    } else {
      to += '\\';
      at += 1;
    }
  }
}

void DecodePercent(std::string_view text, std::string& to) {
  to.clear();
  for (size_t at = 0; at < text.size(); ++at) {
    const int code = text[at] == '%' ? HexAt(text, at + 1, 2) : -1;
    to += code >= 0 ? static_cast<char>(code) : text[at];
    if (code >= 0) at += 2;
  }
}

void SplitRequestLine(std::string_view line, std::string& method, std::string& target) {
  auto rest = line;
  method = TakeUntil(rest, ' ');
  const size_t protocol = rest.rfind(" HTTP/");
  Unescape(protocol == rest.npos ? rest : rest.substr(0, protocol), target);
}

}  // namespace viewcount::cli
