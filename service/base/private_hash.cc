#include "service/base/private_hash.h"

#include <algorithm>

#include "service/base/hash.h"
#include "service/base/identifiers.h"

namespace viewcount {

PrivateHash::PrivateHash() {
  static_assert(kKeyBytes >= XXH3_SECRET_SIZE_MIN);
  std::array<uint8_t, 16> random;
  static_assert(kKeyBytes % random.size() == 0);
  for (size_t at = 0; at < key_.size(); at += random.size()) {
    FillRandom(random);
    std::copy(random.begin(), random.end(), key_.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

uint64_t PrivateHash::Of(std::string_view bytes) const {
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), key_.data(), key_.size());
}

}  // namespace viewcount
