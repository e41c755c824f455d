// Finds the viewer's address in a field of a log.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string_view>

namespace viewcount::cli {

// Returns the leftmost valid IP address of `field`: an address, or a list of addresses with commas, as in
// X-Forwarded-For. Ports, brackets, quotes, and the parameters of a Forwarded header are ignored. Returns nothing if
// the field has no address. An address as text in another spelling gives an equal result. Thread-safe.
std::optional<boost::asio::ip::address> AddressOfClient(std::string_view field);

// Returns true if `field` may be the name of a host, as servers log it that look up names: labels of letters, digits
// and hyphens, with at least one dot, and a letter in the last label. Thread-safe.
bool IsHostName(std::string_view field);

}  // namespace viewcount::cli
