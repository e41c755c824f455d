// The address of a webhook, and the machines to which it may lead.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>

#include "service/base/address_ranges.h"

namespace viewcount {

// Returns whether an address belongs to the public internet. Private, local, multicast and reserved addresses do not,
// nor do addresses of IPv6 that stand for such an address of IPv4. Thread-safe.
bool IsPublicAddress(const boost::asio::ip::address& address);

// Returns whether a webhook may have an address: a public one, or one in `allowed`. Thread-safe.
bool IsAllowedAddress(const boost::asio::ip::address& address, const AddressRanges& allowed);

// Checks the address of a webhook and returns its origin, such as https://hooks.example.org or http://[::1]:8080. The
// address must have http or https and a host; no user, password or fragment.
//
// INVALID_ARGUMENT names the field alert.webhook_url. The message contains nothing of the address but its origin.
// Thread-safe.
absl::StatusOr<std::string> OriginOfWebhook(std::string_view address);

// Like OriginOfWebhook, but the address must not name a machine by an IP address that is not allowed. Names are checked
// when the connection is made.
absl::Status CheckWebhook(std::string_view address, const AddressRanges& allowed);

}  // namespace viewcount
