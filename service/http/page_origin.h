// Determines which page sent a request.
#pragma once

#include <string_view>

namespace viewcount {

// Returns the origin of the page according to the fields Origin and Referer. Empty if they do not contain it, as in the
// requests of a page with Referrer-Policy: no-referrer. For a beacon of such a page, browsers send "Origin: null".
inline std::string_view PageOrigin(std::string_view origin, std::string_view referer) {
  if (!origin.empty() && origin != "null") return origin;
  // Requests for pictures have no Origin. The origin of an address is the part before its path.
  const size_t host = referer.find("://");
  if (host == std::string_view::npos) return {};
  return referer.substr(0, referer.find('/', host + 3));
}

}  // namespace viewcount
