// Determines the client that sent a request, and whether it is a trusted backend.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/base/forwarding_headers.h"
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

// Returns the addresses in a value of the header Forwarded (RFC 7239) as a list as in X-Forwarded-For. An element that
// names no client, or hides it, is an entry that is no address. Pure function; thread-safe.
std::string ListOfForwarded(std::string_view value);

// Not thread-safe: used by one server's thread only.
class ClientTrust {
 public:
  struct Options {
    // These are trusted to name their client in `header`.
    AddressRanges proxies;
    // The portal's own servers.
    AddressRanges backends;
    // One of kForwardingHeaders.
    std::string header = std::string(kForwardingHeaders[0]);
    // True for a port that only the portal's own servers reach. All of its clients are backends, except for those whose
    // request was forwarded or has an Origin.
    bool is_private = false;
    // Called with the address of one of our proxies if `header` names no address in its request. May be empty.
    std::function<void(const boost::asio::ip::address&)> unnamed = {};
  };
  explicit ClientTrust(Options options) : options_(std::move(options)) {}

  // Replaces the options given to the constructor.
  void Set(Options options) { options_ = std::move(options); }

  // Returns the client of a request. It is the last address in the header that is not one of our proxies, because our
  // proxies wrote only the entries from there on. Without that field, the client is the peer. A request that was
  // forwarded by another proxy, or that a browser sent (it has an Origin), never counts as a trusted backend's.
  Client Find(const HttpFields& fields, const boost::asio::ip::address& peer) const;
  // Like the function above, for parsed fields. `forwarded` is the value of X-Forwarded-For, and `has_origin` is true
  // if there is an Origin. Requires that header() is X-Forwarded-For.
  Client Find(std::optional<std::string_view> forwarded, bool has_origin, const boost::asio::ip::address& peer) const;

  // Calls `unnamed` if `peer` is one of our proxies and should have named the client. `named` is true if the header
  // named an address.
  void NoteUnnamed(const Client& client, bool named, const boost::asio::ip::address& peer) const;

  // Returns true if Find would return a trusted backend.
  bool IsBackend(const HttpFields& fields, const boost::asio::ip::address& peer) const;

  // The header in which our proxies name their clients.
  std::string_view header() const { return options_.header; }

  // Returns the visitor that a backend names in its request. `list` is read like X-Forwarded-For with its last entry as
  // the peer. Returns nothing if an entry is not an address.
  std::optional<boost::asio::ip::address> FindNamed(std::string_view list) const;

 private:
  // Follows `list` from its end while `address` is one of our proxies, because a proxy appends its client's address.
  std::optional<boost::asio::ip::address> Follow(boost::asio::ip::address address,
                                                 std::optional<std::string_view> list) const;

  // Returns the clients that the peer names in the header, as a list, or nothing without that header.
  std::optional<std::string> NamedIn(const HttpFields& fields) const;
  // `list` is the result of NamedIn, and `was_forwarded` is true if there is any of kForwardingHeaders. It
  // matters on a private port only.
  Client FindIn(std::optional<std::string_view> list, bool has_origin, bool was_forwarded,
                const boost::asio::ip::address& peer) const;

  Options options_;
};

}  // namespace viewcount
