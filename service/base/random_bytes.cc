// Apart from the other identifiers' functions: a simulation links one of its own in place of this file.
#include <sys/random.h>

#include "service/base/check.h"
#include "service/base/identifiers.h"

namespace viewcount {

void FillRandom(std::array<uint8_t, 16>& bytes) {
  // Requests of up to 256 bytes are never cut short (getrandom(2)).
  VIEWCOUNT_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

}  // namespace viewcount
