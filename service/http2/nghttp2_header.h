// Headers in nghttp2's form.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string_view>

namespace viewcount {

// A header that refers to `name` and `value`. The name must live until the header is sent. So must the value with
// NGHTTP2_NV_FLAG_NO_COPY_VALUE in `flags`; else nghttp2 copies it.
inline nghttp2_nv Http2Header(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  // nghttp2 does not write to them.
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = static_cast<uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

}  // namespace viewcount
