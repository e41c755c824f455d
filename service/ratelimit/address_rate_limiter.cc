#include "service/ratelimit/address_rate_limiter.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "service/base/address_ranges.h"

namespace viewcount {
namespace {

constexpr size_t kIpv6NetworkBytes = 8;

}  // namespace

AddressRateLimiter::AddressRateLimiter(uint32_t views_per_second) : rate_(0, {}, {}) { SetRate(views_per_second); }

void AddressRateLimiter::SetRate(uint32_t views_per_second) {
  static_assert(std::has_single_bit(limits::kFloodAddresses / kSetEntries), "a set is picked by bits of a hash");
  rate_ = GcraLimiter(views_per_second, std::chrono::seconds(1), limits::kFloodBurst);
  if (rate_.limits()) sets_.resize(limits::kFloodAddresses / kSetEntries);
}

uint64_t AddressRateLimiter::HashOf(const boost::asio::ip::address& address) const {
  const AddressBytes bytes = BytesOfAddress(address);
  const bool ipv4 = address.is_v4() || address.to_v6().is_v4_mapped();
  const uint64_t hash =
      hash_.Of({reinterpret_cast<const char*>(bytes.data()), ipv4 ? bytes.size() : kIpv6NetworkBytes});
  return hash != 0 ? hash : 1;
}

bool AddressRateLimiter::Take(const boost::asio::ip::address& address, uint32_t views, SteadyTime now) {
  return !rate_.limits() || rate_.Take(EntryOf(HashOf(address)).whole_at, views, now);
}

AddressRateLimiter::Entry& AddressRateLimiter::EntryOf(uint64_t address) {
  auto& entries = sets_[address & (sets_.size() - 1)].entries;
  for (Entry& entry : entries) {
    if (entry.address == address) return entry;
  }
  Entry& oldest = *std::ranges::min_element(entries, {}, &Entry::whole_at);
  oldest = {.address = address};
  return oldest;
}

}  // namespace viewcount
