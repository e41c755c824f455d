#include "service/visitors/viewer_hash.h"

#include <sodium/crypto_shorthash.h>

#include <algorithm>
#include <array>
#include <cstring>

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
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t));
static_assert(crypto_shorthash_KEYBYTES == sizeof(ViewerSalt::bytes));

}  // namespace

uint64_t ViewerHash(const ViewerSalt& salt, std::string_view site, const boost::asio::ip::address& address,
                    std::string_view agent) {
  agent = agent.substr(0, limits::kAgentBytesMax);
  VIEWCOUNT_CHECK(site.size() <= limits::kSiteNameBytesMax);
  Head head;
  little_endian::Store(head.site_bytes.data(), static_cast<uint32_t>(site.size()));
  little_endian::Store(head.agent_bytes.data(), static_cast<uint32_t>(agent.size()));
  head.address = BytesOfAddress(address);
  std::array<unsigned char, sizeof(Head) + limits::kSiteNameBytesMax + limits::kAgentBytesMax> text;
  std::memcpy(text.data(), &head, sizeof(head));
  std::copy(site.begin(), site.end(), text.begin() + sizeof(head));
  std::copy(agent.begin(), agent.end(), text.begin() + sizeof(head) + site.size());
  std::array<unsigned char, crypto_shorthash_BYTES> bytes;
  crypto_shorthash(bytes.data(), text.data(), sizeof(head) + site.size() + agent.size(), salt.bytes.data());
  return std::max<uint64_t>(1, little_endian::Load<uint64_t>(bytes.data()));
}

}  // namespace viewcount
