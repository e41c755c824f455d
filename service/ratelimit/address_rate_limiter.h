// Limits the views from one address, so that no single machine can inflate a count.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/ratelimit/gcra_limiter.h"

namespace viewcount {

// Each address may send a number of views per second, and limits::kFloodBurst of that rate at once. The first 64 bits
// of an IPv6 address count, because a client that has those bits can use all addresses that begin with them.
//
// Not thread-safe: used by one thread at a time. It is bounded at limits::kFloodAddresses addresses of 16 bytes. In a
// full set the address with most of its budget left is forgotten, and has its whole budget again. Only hashes are kept,
// in memory only.
class AddressRateLimiter {
 public:
  // Sets the rate. 0 means no limit.
  explicit AddressRateLimiter(uint32_t views_per_second);

  // Sets another rate. The views that addresses have sent already count against it.
  void SetRate(uint32_t views_per_second);

  // Loads the memory for the next Take of this address into the processor's cache.
  void Prefetch(const boost::asio::ip::address& address) const {
    if (rate_.limits()) __builtin_prefetch(&sets_[HashOf(address) & (sets_.size() - 1)], 1);
  }
  // Returns true if the address' budget covers `views` more views, and then takes them from it.
  bool Take(const boost::asio::ip::address& address, uint32_t views, SteadyTime now);

 private:
  struct Entry {
    // The hash of the address. 0 means that the entry is free.
    uint64_t address = 0;
    // See GcraLimiter::Take.
    int64_t whole_at = 0;
  };
  // The entries in one of which an address is kept. A set is one line of the processor's cache.
  static constexpr size_t kSetEntries = 4;
  struct alignas(64) Set {
    std::array<Entry, kSetEntries> entries;
  };

  // Returns the hash of an address, never 0.
  uint64_t HashOf(const boost::asio::ip::address& address) const;
  Entry& EntryOf(uint64_t address);

  GcraLimiter rate_;
  const PrivateHash hash_;
  std::vector<Set> sets_;
};

}  // namespace viewcount
