// Identifies a viewer by a number that reveals nothing else: a keyed hash of address, user agent and traits.
//
// The key is a random salt, which only the instances of one data set know. It is deleted after its site's day. Until
// then a visitor has the same number all day. Afterwards a number cannot be traced back to a person, not even by trying
// all addresses. Neither address nor agent is kept or written anywhere.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/visitors/viewer_traits.h"

namespace viewcount {

// Returns the viewer's hash by SipHash-2-4 (Aumasson and Bernstein, 2012), which is made for short inputs under a
// secret key. It is never 0, because 0 stands for an unknown viewer.
//
// An IPv4 address has the same hash as its IPv6-mapped form. The agent may be any bytes; its first
// limits::kAgentBytesMax bytes count. So do the first kTraitBytesMax bytes of each trait. Without traits the hash is
// the one of versions that knew none. Thread-safe, without a lock. All versions return the same hash, since instances
// of different versions share a day's salt.
uint64_t ViewerHash(const ViewerSalt& salt, std::string_view site, const boost::asio::ip::address& address,
                    std::string_view agent, const ViewerTraits& traits = {});

}  // namespace viewcount
