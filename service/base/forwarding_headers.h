// The headers in which a proxy may name its client.
#pragma once

#include <array>
#include <string_view>

namespace viewcount {

// The first and the last one are lists, which proxies extend at the end. RFC 7239 defines the last one.
inline constexpr std::array<std::string_view, 5> kForwardingHeaders = {
    "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Forwarded"};

}  // namespace viewcount
