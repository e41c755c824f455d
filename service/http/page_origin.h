// Which page sent a request.
#pragma once

#include <string_view>

namespace viewcount {

// The origin of the page, as far as the fields Origin and Referer tell; empty if they do not.
inline std::string_view PageOrigin(std::string_view origin, std::string_view referer) {
  if (!origin.empty()) return origin;
  // A picture's request has no Origin. Of an address it is what stands before the path.
  const size_t host = referer.find("://");
  if (host == std::string_view::npos) return {};
  return referer.substr(0, referer.find('/', host + 3));
}

}  // namespace viewcount
