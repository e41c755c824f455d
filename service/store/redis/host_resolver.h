// Resolves the name of a host to its addresses.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace viewcount {

// Returns at least one and at most limits::kStoreAddressesMax numeric addresses. They are in the order in which to try
// them, each once. UNAVAILABLE if the name has none. Runs on the executor of its caller and never blocks it.
using HostResolver =
    std::function<boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>>(std::string host, uint16_t port)>;

// Asks the system, which reads its hosts file and queries DNS. `host` may be an address.
boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> ResolveBySystem(std::string host, uint16_t port);

}  // namespace viewcount
