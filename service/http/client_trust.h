// Who sent a request, and whether it is to be believed.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/http/router.h"

namespace viewcount {

struct Client {
  // The visitor's, or the backend's.
  boost::asio::ip::address address;
  // It may say what browsers may not: counts, times, viewers.
  bool trusted_backend = false;
};

// Immutable: any thread may use it.
class ClientTrust {
 public:
  // `proxies` may tell in X-Forwarded-For for whom they ask; `backends` are the portal's own servers.
  ClientTrust(AddressRanges proxies, AddressRanges backends)
      : proxies_(std::move(proxies)), backends_(std::move(backends)) {}

  // The client is the last address of X-Forwarded-For that is no proxy of ours, since only those behind it were
  // written by proxies of ours; without that field it is the peer. A request that was forwarded by somebody else, or
  // that a browser sent (it has an Origin), is never a trusted backend's.
  Client Find(const HttpFields& fields, const boost::asio::ip::address& peer) const;

 private:
  const AddressRanges proxies_;
  const AddressRanges backends_;
};

}  // namespace viewcount
