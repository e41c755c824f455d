// Web origins as browsers send them: https://news.example.org, http://localhost:8000. Pure functions; thread safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// `text` as a browser would send it: scheme and host in lower case, without the scheme's default port. INVALID_ARGUMENT
// for anything but http or https, a host (a name in ASCII, an IPv4 address, an IPv6 address in brackets) and perhaps a
// port: a path, a trailing slash, a user or a wildcard.
absl::StatusOr<std::string> NormalizedOrigin(std::string_view text);

// All of them normalised, each once, in order of their spelling. INVALID_ARGUMENT naming
// `site.allowed_origins[INDEX]`, or `site.allowed_origins` above limits::kSiteOriginsMax.
absl::StatusOr<std::vector<std::string>> NormalizedOrigins(const std::vector<std::string>& texts);

}  // namespace viewcount
