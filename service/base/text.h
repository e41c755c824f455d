// Rules for texts: well-formed UTF-8, article IDs, site names, and numbers for people. These are pure functions, so
// they are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// Returns the length of the well-formed UTF-8 sequence that begins at `text[at]`, or 0 if there is none. `at` must be
// within the text.
size_t Utf8SequenceBytes(std::string_view text, size_t at);

// Returns true for well-formed UTF-8: no overlong forms, no surrogates, no code points above U+10FFFF.
bool IsUtf8(std::string_view text);

// Returns true for 1 to limits::kArticleIdBytesMax bytes of UTF-8 without control characters (U+0000–U+001F,
// U+007F–U+009F).
bool IsArticleId(std::string_view text);
// The rule for article IDs, as error messages state it.
inline constexpr std::string_view kArticleIdRule = "must be 1 to 512 bytes of UTF-8 without control characters";

// Returns true for 1 to limits::kSiteNameBytesMax characters from a-z, A-Z, 0-9, '-', '_', '.'. The first must be a
// letter or digit. The characters are restricted because the name is a part of the store's keys.
bool IsSiteName(std::string_view text);

// Returns the number with commas between groups of three digits, such as "37,456,821".
std::string Grouped(uint64_t number);

}  // namespace viewcount
