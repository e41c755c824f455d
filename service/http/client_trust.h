// Determines the client that sent a request, and whether it is a trusted backend.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/http/router.h"

namespace viewcount {

// The sender of a request. A value type.
struct Client {
  // The address of the visitor or of the backend.
  boost::asio::ip::address address;
  // False if one of our proxies did not name an address. Then the client is unknown, and `address` is the peer's.
  bool known = true;
  // True if the client may send what browsers may not: counts, times and viewers.
  bool trusted_backend = false;
};

// Returns the values of all fields named `name`, joined to one list in order. Returns nothing if there is no such
// field.
std::optional<std::string> ListOf(const HttpFields& fields, std::string_view name);

// Not thread-safe: used by one server's thread only.
class ClientTrust {
 public:
  // `proxies` are trusted to name their client in X-Forwarded-For. `backends` are the portal's own servers.
  ClientTrust(AddressRanges proxies, AddressRanges backends)
      : proxies_(std::move(proxies)), backends_(std::move(backends)) {}

  // Replaces the ranges given to the constructor.
  void Set(AddressRanges proxies, AddressRanges backends) {
    proxies_ = std::move(proxies);
    backends_ = std::move(backends);
  }

  // Returns the client of a request. It is the last address of X-Forwarded-For that is not one of our proxies, because
  // our proxies wrote only the entries from there on. Without that field, the client is the peer. A request that was
  // forwarded by another proxy, or that a browser sent (it has an Origin), never counts as a trusted backend's.
  Client Find(const HttpFields& fields, const boost::asio::ip::address& peer) const;
  // Like the function above, for parsed fields. `forwarded_for` is the list in X-Forwarded-For, and `has_origin` is
  // true if there is an Origin.
  Client Find(std::optional<std::string_view> forwarded_for, bool has_origin,
              const boost::asio::ip::address& peer) const;

  // Returns the visitor that a backend names in its request. `list` is read like X-Forwarded-For with its last entry as
  // the peer. Returns nothing if an entry is not an address.
  std::optional<boost::asio::ip::address> FindNamed(std::string_view list) const;

 private:
  // Follows `list` from its end while `address` is one of our proxies, because a proxy appends its client's address.
  std::optional<boost::asio::ip::address> Follow(boost::asio::ip::address address,
                                                 std::optional<std::string_view> list) const;

  AddressRanges proxies_;
  AddressRanges backends_;
};

}  // namespace viewcount
