#include "service/addresses/address_text.h"

#include <absl/strings/ascii.h>
#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "service/base/text.h"

namespace viewcount {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr unsigned char kAsciiEnd = 0x80;

bool IsUnreserved(unsigned char byte) {
  return absl::ascii_isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

// Returns true for ASCII characters that stand for themselves (RFC 3986, section 3.3 and 3.4).
bool StandsForItself(unsigned char byte, AddressPart part) {
  if (IsUnreserved(byte)) return true;
  constexpr std::string_view kPathCharacters = "!$&'()*+,;=:@/";
  constexpr std::string_view kQueryCharacters = "!$'()*,;=:@/?";
  const auto characters = part == AddressPart::kQuery ? kQueryCharacters : kPathCharacters;
  return byte != 0 && characters.find(static_cast<char>(byte)) != std::string_view::npos;
}

int HexValue(char digit) {
  const size_t value = kHexDigits.find(absl::ascii_toupper(static_cast<unsigned char>(digit)));
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// Returns the byte that `text` begins with in escaped form, or nothing.
std::optional<unsigned char> EscapedByte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const int high = HexValue(text[1]);
  const int low = HexValue(text[2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

void AppendEscape(unsigned char byte, std::string& out) {
  out += '%';
  out += kHexDigits[byte / 16];
  out += kHexDigits[byte % 16];
}

// Returns true for letters, marks, numbers, punctuation and symbols. The rest are separators, controls, formats, and
// code points that are private or not assigned.
bool IsPrintable(std::string_view character) {
  utf8proc_int32_t point = 0;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                   static_cast<utf8proc_ssize_t>(character.size()), &point);
  const auto category = utf8proc_category(point);
  return category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS;
}

utf8proc_int32_t ToSmall(utf8proc_int32_t point, void*) { return utf8proc_tolower(point); }

// Collects the text between two escapes, and appends its normal form to the output.
class Run {
 public:
  Run(AddressPart part, std::string& out) : part_(part), out_(out) {}

  void AddAscii(unsigned char byte) {
    text_ += static_cast<char>(part_ == AddressPart::kFoldedPath ? absl::ascii_tolower(byte) : byte);
  }
  void AddCharacter(std::string_view character) {
    text_ += character;
    ascii_ = false;
  }
  void AddEscape(unsigned char byte) {
    Flush();
    AppendEscape(byte, out_);
  }

  void Flush() {
    if (ascii_) {
      out_ += text_;
    } else {
      // The normal form of a few characters is ASCII, such as that of U+1FEF.
      for (const char c : Composed()) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte >= kAsciiEnd || StandsForItself(byte, part_);
        plain ? out_.push_back(c) : AppendEscape(byte, out_);
      }
    }
    text_.clear();
    ascii_ = true;
  }

 private:
  std::string Composed() const {
    constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    utf8proc_uint8_t* composed = nullptr;
    const auto size = utf8proc_map_custom(reinterpret_cast<const utf8proc_uint8_t*>(text_.data()),
                                          static_cast<utf8proc_ssize_t>(text_.size()), &composed, kOptions,
                                          part_ == AddressPart::kFoldedPath ? ToSmall : nullptr, nullptr);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
    // The text is valid UTF-8, so only memory can be missing.
    if (size < 0) throw std::bad_alloc();
    return {reinterpret_cast<const char*>(composed), static_cast<size_t>(size)};
  }

  const AddressPart part_;
  std::string& out_;
  std::string text_;
  bool ascii_ = true;
};

// Adds consecutive bytes beyond ASCII, which were escaped or not.
void AddBytes(std::string_view bytes, Run& run) {
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = Utf8SequenceBytes(bytes, at);
    if (size > 0 && IsPrintable(bytes.substr(at, size))) {
      run.AddCharacter(bytes.substr(at, size));
      at += size;
      continue;
    }
    for (const size_t end = at + (size > 0 ? size : 1); at < end; ++at) {
      run.AddEscape(static_cast<unsigned char>(bytes[at]));
    }
  }
}

}  // namespace

std::string NormalText(std::string_view raw, AddressPart part) {
  std::string out;
  out.reserve(raw.size());
  Run run(part, out);
  std::string bytes;
  while (!raw.empty()) {
    const auto escaped = EscapedByte(raw);
    auto byte = escaped.value_or(static_cast<unsigned char>(raw[0]));
    raw.remove_prefix(escaped ? 3 : 1);
    if (byte >= kAsciiEnd) {
      bytes += static_cast<char>(byte);
      continue;
    }
    AddBytes(bytes, run);
    bytes.clear();
    // Browsers take a backslash for a slash (WHATWG URL Standard, path state).
    if (!escaped && part != AddressPart::kQuery && byte == '\\') byte = '/';
    if (!escaped && part == AddressPart::kQuery && byte == '+') byte = ' ';
    const bool plain = escaped ? IsUnreserved(byte) : StandsForItself(byte, part);
    plain ? run.AddAscii(byte) : run.AddEscape(byte);
  }
  AddBytes(bytes, run);
  run.Flush();
  return out;
}

}  // namespace viewcount
