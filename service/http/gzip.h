// Compresses content that is sent often. Each content is compressed once, at the start.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// Returns `text` in gzip format (RFC 1952), at zlib's best compression.
std::string Gzip(std::string_view text);

}  // namespace viewcount
