#include "service/floods/address_budget.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "service/base/address_ranges.h"

namespace viewcount {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kIpv6NetworkBytes = 8;

}  // namespace

AddressBudget::AddressBudget(uint32_t views_per_second)
    : cost_ns_(views_per_second == 0 ? 0 : nanoseconds(std::chrono::seconds(1)).count() / views_per_second),
      sets_(views_per_second == 0 ? 0 : limits::kFloodAddresses / kSetEntries) {
  static_assert(std::has_single_bit(limits::kFloodAddresses / kSetEntries), "a set is picked by bits of a hash");
}

uint64_t AddressBudget::HashOf(const boost::asio::ip::address& address) const {
  const AddressBytes bytes = BytesOfAddress(address);
  const bool ipv4 = address.is_v4() || address.to_v6().is_v4_mapped();
  const uint64_t hash =
      hash_.Of({reinterpret_cast<const char*>(bytes.data()), ipv4 ? bytes.size() : kIpv6NetworkBytes});
  return hash != 0 ? hash : 1;
}

bool AddressBudget::Take(const boost::asio::ip::address& address, uint32_t views, SteadyTime now) {
  if (cost_ns_ == 0) return true;
  Entry& entry = EntryOf(HashOf(address));
  const int64_t now_ns = nanoseconds(now.time_since_epoch()).count();
  const int64_t whole_at = std::max(entry.whole_at, now_ns) + cost_ns_ * views;
  if (whole_at - now_ns > nanoseconds(limits::kFloodBurst).count()) return false;
  entry.whole_at = whole_at;
  return true;
}

AddressBudget::Entry& AddressBudget::EntryOf(uint64_t address) {
  auto& entries = sets_[address & (sets_.size() - 1)].entries;
  for (Entry& entry : entries) {
    if (entry.address == address) return entry;
  }
  Entry& oldest = *std::ranges::min_element(entries, {}, &Entry::whole_at);
  oldest = {.address = address};
  return oldest;
}

}  // namespace viewcount
