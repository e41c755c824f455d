// Encodings of XML that Expat does not know.
#pragma once

#include <array>
#include <optional>
#include <string>

namespace viewcount::cli {

// The character of each byte, or -1 where there is none.
using ByteCharacters = std::array<int, 256>;

// Returns the characters of an encoding with one byte for each character, such as windows-1258. Returns nothing for
// other encodings. Thread-safe.
std::optional<ByteCharacters> CharactersOf(const std::string& encoding);

}  // namespace viewcount::cli
