#include "service/visitors/viewer_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <memory>

#include "service/base/address_ranges.h"
#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

constexpr size_t kHashBytes = sizeof(uint64_t);

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

Context NewContext() {
  // Looked up once: that takes locks and microseconds. It lives as long as the process.
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  VIEWCOUNT_CHECK(algorithm != nullptr);
  Context context(EVP_MAC_CTX_new(algorithm));
  VIEWCOUNT_CHECK(context != nullptr);
  size_t size = kHashBytes;
  const std::array<OSSL_PARAM, 2> parameters = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                                OSSL_PARAM_construct_end()};
  VIEWCOUNT_CHECK(EVP_MAC_CTX_set_params(context.get(), parameters.data()) == 1);
  return context;
}

void Add(EVP_MAC_CTX* context, const void* bytes, size_t size) {
  VIEWCOUNT_CHECK(EVP_MAC_update(context, static_cast<const unsigned char*>(bytes), size) == 1);
}

// What stands before site and agent: their lengths, so that no end of one passes for a beginning of the other.
struct Head {
  std::array<uint8_t, 4> site_bytes;
  std::array<uint8_t, 4> agent_bytes;
  AddressBytes address;
};
static_assert(sizeof(Head) == 24, "without gaps");

}  // namespace

uint64_t ViewerHash(const ViewerSalt& salt, std::string_view site, const boost::asio::ip::address& address,
                    std::string_view agent) {
  thread_local const Context context = NewContext();
  agent = agent.substr(0, limits::kAgentBytesMax);
  Head head;
  boost::endian::store_little_u32(head.site_bytes.data(), static_cast<uint32_t>(site.size()));
  boost::endian::store_little_u32(head.agent_bytes.data(), static_cast<uint32_t>(agent.size()));
  head.address = BytesOfAddress(address);
  VIEWCOUNT_CHECK(EVP_MAC_init(context.get(), salt.bytes.data(), salt.bytes.size(), nullptr) == 1);
  Add(context.get(), &head, sizeof(head));
  Add(context.get(), site.data(), site.size());
  Add(context.get(), agent.data(), agent.size());
  std::array<unsigned char, kHashBytes> bytes;
  size_t size = 0;
  VIEWCOUNT_CHECK(EVP_MAC_final(context.get(), bytes.data(), &size, bytes.size()) == 1 && size == bytes.size());
  return std::max<uint64_t>(1, boost::endian::load_little_u64(bytes.data()));
}

}  // namespace viewcount
