// Web origins as browsers send them: https://news.example.org, http://localhost:8000. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Returns `text` as a browser would send it: scheme and host in lower case, without the scheme's default port. An
// origin is http or https, a host and an optional port. The host is a name in ASCII, an IPv4 address, or an IPv6
// address in brackets. The first label of a name may be *, if at least two others follow. Returns INVALID_ARGUMENT for
// anything else, such as a path, a trailing slash, a user or another wildcard.
absl::StatusOr<std::string> NormalizedOrigin(std::string_view text);

// Returns true if an allowed origin in the form of NormalizedOrigin stands for `origin`, which a browser sent. With *,
// it stands for every name that has one label or more in place of it: https://*.a.example for https://b.a.example and
// https://c.b.a.example, not for https://a.example.
bool StandsFor(std::string_view allowed, std::string_view origin);

// Returns the normalised origins, sorted and without duplicates. Returns INVALID_ARGUMENT that names
// `site.allowed_origins[INDEX]`, or `site.allowed_origins` if there are more than limits::kSiteOriginsMax.
absl::StatusOr<std::vector<std::string>> NormalizedOrigins(const std::vector<std::string>& texts);

}  // namespace viewcount
