// Texts: what is well formed, what may be an article's ID or a site's name, and how people read a number. Pure
// functions; thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// Bytes of the well-formed UTF-8 sequence that begins at `text[at]`, 0 if there is none. `at` is within the text.
size_t Utf8SequenceBytes(std::string_view text, size_t at);

// True for well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool IsUtf8(std::string_view text);

// 1 to limits::kArticleIdBytesMax bytes of UTF-8 without control characters (U+0000–U+001F, U+007F–U+009F).
bool IsArticleId(std::string_view text);
// What an error says of one that is none.
inline constexpr std::string_view kArticleIdRule = "must be 1 to 512 bytes of UTF-8 without control characters";

// 1 to limits::kSiteNameBytesMax of a-z, A-Z, 0-9, '-', '_', '.', beginning with a letter or digit: it stands in keys.
bool IsSiteName(std::string_view text);

// "37,456,821".
std::string Grouped(uint64_t number);

}  // namespace viewcount
