// Web origins as browsers send them: https://news.example.org, http://localhost:8000. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Returns `text` as a browser would send it: scheme and host in lower case, without the scheme's default port. An
// origin is http or https, a host and an optional port. The host is a name in ASCII, an IPv4 address, or an IPv6
// address in brackets. Returns INVALID_ARGUMENT for anything else, such as a path, a trailing slash, a user or a
// wildcard.
absl::StatusOr<std::string> NormalizedOrigin(std::string_view text);

// Returns the normalised origins, sorted and without duplicates. Returns INVALID_ARGUMENT that names
// `site.allowed_origins[INDEX]`, or `site.allowed_origins` if there are more than limits::kSiteOriginsMax.
absl::StatusOr<std::vector<std::string>> NormalizedOrigins(const std::vector<std::string>& texts);

}  // namespace viewcount
