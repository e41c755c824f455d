// Who sent a request, and whether it is to be believed.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/http/router.h"

namespace viewcount {

struct Client {
  // The visitor's, or the backend's.
  boost::asio::ip::address address;
  // False: a proxy of ours did not name an address, so nobody knows who asks; `address` is the peer's.
  bool known = true;
  // It may say what browsers may not: counts, times, viewers.
  bool trusted_backend = false;
};

// All values of the fields of that name as one list, in order; nothing if there is no such field.
std::optional<std::string> ListOf(const HttpFields& fields, std::string_view name);

// On one server's thread.
class ClientTrust {
 public:
  // `proxies` may tell in X-Forwarded-For for whom they ask; `backends` are the portal's own servers.
  ClientTrust(AddressRanges proxies, AddressRanges backends)
      : proxies_(std::move(proxies)), backends_(std::move(backends)) {}

  // Puts other ranges in the place of those of the constructor.
  void Set(AddressRanges proxies, AddressRanges backends) {
    proxies_ = std::move(proxies);
    backends_ = std::move(backends);
  }

  // The client is the last address of X-Forwarded-For that is no proxy of ours, since only those behind it were
  // written by proxies of ours; without that field it is the peer. A request that was forwarded by somebody else, or
  // that a browser sent (it has an Origin), is never a trusted backend's.
  Client Find(const HttpFields& fields, const boost::asio::ip::address& peer) const;
  // The same of what the fields hold: the list X-Forwarded-For, and whether there is an Origin.
  Client Find(std::optional<std::string_view> forwarded_for, bool has_origin,
              const boost::asio::ip::address& peer) const;

  // The client of a backend of ours that names it itself: as X-Forwarded-For would be read if the last of the list
  // were the peer. Nothing if what stands there is no address.
  std::optional<boost::asio::ip::address> FindNamed(std::string_view list) const;

 private:
  // Follows `list` from its end on as long as `address` is a proxy of ours, which wrote the one before.
  std::optional<boost::asio::ip::address> Follow(boost::asio::ip::address address,
                                                 std::optional<std::string_view> list) const;

  AddressRanges proxies_;
  AddressRanges backends_;
};

}  // namespace viewcount
