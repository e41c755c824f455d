// A file apart from the other functions of identifiers.h, because a simulation links its own version instead.
#include <sys/random.h>

#include "service/base/check.h"
#include "service/base/identifiers.h"

namespace viewcount {

void FillRandom(std::array<uint8_t, 16>& bytes) {
  // Requests of up to 256 bytes are never answered with fewer bytes (getrandom(2)).
  VIEWCOUNT_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

}  // namespace viewcount
