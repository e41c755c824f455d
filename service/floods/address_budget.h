// How many views come from one address, so that no single machine can inflate a count.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/floods/rate.h"

namespace viewcount {

// Each address may send so many views a second, and limits::kFloodBurst of that at once. Of an IPv6 address the first
// 64 bits count, since whoever has those has all that follow.
//
// One thread at a time. Bounded at limits::kFloodAddresses addresses of 16 bytes: beyond that whoever has most of it
// left is forgotten, and has all of it again. Keeps hashes only, in memory only.
class AddressBudget {
 public:
  // 0: no limit.
  explicit AddressBudget(uint32_t views_per_second);

  // Sets another rate. What addresses have sent already counts against it.
  void SetRate(uint32_t views_per_second);

  // Fetches what Take is going to look at.
  void Prefetch(const boost::asio::ip::address& address) const {
    if (rate_.limits()) __builtin_prefetch(&sets_[HashOf(address) & (sets_.size() - 1)], 1);
  }
  // Whether so many more views of the address are within its budget; takes them from it if so.
  bool Take(const boost::asio::ip::address& address, uint32_t views, SteadyTime now);

 private:
  struct Entry {
    // 0: nobody's.
    uint64_t address = 0;
    // See Rate::Take.
    int64_t whole_at = 0;
  };
  // An address has its place in one set: one line of the processor's cache.
  static constexpr size_t kSetEntries = 4;
  struct alignas(64) Set {
    std::array<Entry, kSetEntries> entries;
  };

  // Not 0.
  uint64_t HashOf(const boost::asio::ip::address& address) const;
  Entry& EntryOf(uint64_t address);

  Rate rate_;
  const PrivateHash hash_;
  std::vector<Set> sets_;
};

}  // namespace viewcount
