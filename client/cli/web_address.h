// Addresses of documents on the web, taken apart by libcurl, so that they mean what is fetched.
#pragma once

#include <string>
#include <string_view>

namespace viewcount::cli {

// Returns the address without a user and a password, as it may be shown. If libcurl does not understand the address,
// everything up to the last @ is left out. Other texts stay as they are. Thread-safe.
std::string WithoutCredentials(std::string_view address);

// Returns the host in lower case, without a dot at its end. Empty if the address has none. Thread-safe.
std::string HostOf(const std::string& address);

// Returns the address to which a redirect from `address` leads. Empty if it is not understood. Thread-safe.
std::string RedirectTarget(const std::string& address, const std::string& location);

}  // namespace viewcount::cli
