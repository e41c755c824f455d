#include "service/visitors/viewer_hash.h"

#include <sodium/crypto_shorthash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include "service/base/address_ranges.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/little_endian.h"

namespace viewcount {
namespace {

// The input before site and agent. It holds their lengths, so the end of one cannot be confused with the beginning of
// the other.
struct Head {
  std::array<uint8_t, 4> site_bytes;
  std::array<uint8_t, 4> agent_bytes;
  AddressBytes address;
};
static_assert(sizeof(Head) == 24, "without gaps");

// Each trait has its length before it, in one byte.
constexpr size_t kTextBytesMax = sizeof(Head) + limits::kSiteNameBytesMax + limits::kAgentBytesMax +
                                 std::tuple_size_v<decltype(ViewerTraits().all())> * (1 + kTraitBytesMax);
static_assert(kTraitBytesMax < 256);
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t));
static_assert(crypto_shorthash_KEYBYTES == sizeof(ViewerSalt::bytes));

}  // namespace

uint64_t ViewerHash(const ViewerSalt& salt, std::string_view site, const boost::asio::ip::address& address,
                    std::string_view agent, const ViewerTraits& traits) {
  agent = agent.substr(0, limits::kAgentBytesMax);
  VIEWCOUNT_CHECK(site.size() <= limits::kSiteNameBytesMax);
  Head head;
  little_endian::Store(head.site_bytes.data(), static_cast<uint32_t>(site.size()));
  little_endian::Store(head.agent_bytes.data(), static_cast<uint32_t>(agent.size()));
  head.address = BytesOfAddress(address);
  std::array<unsigned char, kTextBytesMax> text;
  std::memcpy(text.data(), &head, sizeof(head));
  auto* end = std::copy(site.begin(), site.end(), text.data() + sizeof(head));
  end = std::copy(agent.begin(), agent.end(), end);
  if (traits != ViewerTraits()) {
    for (std::string_view trait : traits.all()) {
      trait = trait.substr(0, kTraitBytesMax);
      *end++ = static_cast<unsigned char>(trait.size());
      end = std::copy(trait.begin(), trait.end(), end);
    }
  }
  std::array<unsigned char, crypto_shorthash_BYTES> bytes;
  crypto_shorthash(bytes.data(), text.data(), end - text.data(), salt.bytes.data());
  return std::max<uint64_t>(1, little_endian::Load<uint64_t>(bytes.data()));
}

}  // namespace viewcount
