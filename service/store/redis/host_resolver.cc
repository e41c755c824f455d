#include "service/store/redis/host_resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/store/redis/redis_limits.h"

namespace viewcount {
namespace asio = boost::asio;

// hiredis' own look-up is not used, because it blocks the thread and uses only the first address.
asio::awaitable<absl::StatusOr<std::vector<std::string>>> ResolveBySystem(std::string host, uint16_t port) {
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  boost::system::error_code error;
  const std::string service = std::to_string(port);
  const auto found = co_await resolver.async_resolve(host, service, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return absl::UnavailableError(fmt::format("cannot find host {}: {}", host, error.message()));
  std::vector<std::string> addresses;
  for (const auto& entry : found) {
    std::string address = entry.endpoint().address().to_string();
    if (std::ranges::find(addresses, address) != addresses.end()) continue;
    if (addresses.size() == limits::kStoreAddressesMax) break;
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) co_return absl::UnavailableError(fmt::format("host {} has no address", host));
  co_return addresses;
}

}  // namespace viewcount
