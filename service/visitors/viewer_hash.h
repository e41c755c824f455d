// Who looks, as a number that tells nothing else: a keyed hash of address and user agent.
//
// The key is a salt that is random, known to the instances of one data set only, and deleted after its site's day.
// Until then the same visitor has the same number all day; afterwards nobody can tell from a number who it was, not
// even by trying all addresses that there are. Neither address nor agent is kept or written anywhere.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// SipHash-2-4 (Aumasson and Bernstein, 2012), which is made for short inputs under a secret key. Never 0, which stands
// for a viewer that nobody knows. An IPv4 address and its IPv6-mapped form are the same; of the agent, which may be any
// bytes, the first limits::kAgentBytesMax count. Thread safe; takes no lock. Equal in all versions, since instances of
// different ones share a day's salt.
uint64_t ViewerHash(const ViewerSalt& salt, std::string_view site, const boost::asio::ip::address& address,
                    std::string_view agent);

}  // namespace viewcount
