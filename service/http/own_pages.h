// Protects the admin address against web pages of others, which run in the browsers of people who can reach it.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>
#include <vector>

#include "service/http/router.h"

namespace viewcount {

// The header field that the dashboard's pages send with every change. A page of another origin can only send it after a
// preflight (CORS), which is never allowed.
inline constexpr std::string_view kChangeField = "X-Viewcount-Change";

// Immutable, and so thread-safe. Errors are PERMISSION_DENIED.
class OwnPages {
 public:
  // `names` are the host names of the admin address, beside localhost and IP addresses.
  explicit OwnPages(std::vector<std::string> names);

  // Refuses requests that a page of another site made a browser send (W3C Fetch Metadata). Also refuses requests for an
  // unknown host name: anybody may point a name at this address, and a page of that name would be of the same origin
  // (DNS rebinding). An IP address as the host is safe, because no name is resolved.
  absl::Status CheckRead(const HttpFields& fields) const;
  // Refuses in addition what the dashboard's own pages do not send: a change is a POST of JSON with kChangeField from a
  // page of the same origin.
  absl::Status CheckChange(const HttpFields& fields) const;

 private:
  // Requires lower case.
  const std::vector<std::string> names_;
};

}  // namespace viewcount
