// Headers in the representation of nghttp2.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string_view>

namespace viewcount {

// Returns a header that refers to `name` and `value`. The name must live until the header is sent. With
// NGHTTP2_NV_FLAG_NO_COPY_VALUE in `flags` so must the value; otherwise nghttp2 copies it.
inline nghttp2_nv Http2Header(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  // The casts are safe, because nghttp2 does not write to name and value.
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = static_cast<uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

}  // namespace viewcount
