// Compression of what is sent often: once, at the start.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// `text` in gzip's format (RFC 1952), as small as zlib makes it.
std::string Gzip(std::string_view text);

}  // namespace viewcount
