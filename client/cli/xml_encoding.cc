#include "client/cli/xml_encoding.h"

#include <iconv.h>

#include <cstdint>
#include <cstring>

namespace viewcount::cli {
namespace {

// Returns the character of one byte, or -1 if the byte alone is none.
int CharacterOf(iconv_t converter, char byte) {
  iconv(converter, nullptr, nullptr, nullptr, nullptr);
  std::array<char, 16> output{};
  char* from = &byte;
  char* to = output.data();
  size_t from_bytes = 1;
  size_t to_bytes = output.size();
  if (iconv(converter, &from, &from_bytes, &to, &to_bytes) == static_cast<size_t>(-1) || from_bytes != 0) return -1;
  // Encodings with combining characters keep a letter until they know that no mark follows.
  if (iconv(converter, nullptr, nullptr, &to, &to_bytes) == static_cast<size_t>(-1)) return -1;
  uint32_t character = 0;
  if (output.size() - to_bytes != sizeof(character)) return -1;
  std::memcpy(&character, output.data(), sizeof(character));
  return static_cast<int>(character);
}

}  // namespace

std::optional<ByteCharacters> CharactersOf(const std::string& encoding) {
  // Suffixes such as //TRANSLIT are iconv's own.
  if (encoding.find('/') != std::string::npos) return std::nullopt;
  const iconv_t converter = iconv_open("UTF-32LE", encoding.c_str());
  if (reinterpret_cast<intptr_t>(converter) == -1) return std::nullopt;
  ByteCharacters characters{};
  bool is_ascii = true;
  for (size_t byte = 0; byte < characters.size(); ++byte) {
    characters[byte] = CharacterOf(converter, static_cast<char>(byte));
    is_ascii &= byte >= 0x80 || characters[byte] == static_cast<int>(byte);
  }
  iconv_close(converter);
  // In encodings of several bytes most first bytes are no characters by themselves.
  int letters = 0;
  for (size_t byte = 0xC0; byte < characters.size(); ++byte) letters += characters[byte] >= 0 ? 1 : 0;
  constexpr int kLettersMin = 32;
  if (!is_ascii || letters < kLettersMin) return std::nullopt;
  return characters;
}

}  // namespace viewcount::cli
