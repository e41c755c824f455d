// What may be an article's ID or a site's name.
#pragma once

#include <string_view>

namespace viewcount {

// True for well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool IsUtf8(std::string_view text);

// 1 to limits::kArticleIdBytesMax bytes of UTF-8 without control characters (U+0000–U+001F, U+007F–U+009F).
bool IsArticleId(std::string_view text);
// What an error says of one that is none.
inline constexpr std::string_view kArticleIdRule = "must be 1 to 512 bytes of UTF-8 without control characters";

// 1 to limits::kSiteNameBytesMax of a-z, A-Z, 0-9, '-', '_', '.', beginning with a letter or digit: it stands in keys.
bool IsSiteName(std::string_view text);

}  // namespace viewcount
