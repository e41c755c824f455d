#include "tests/simulation/seeded_identifiers.h"

#include "service/base/check.h"
#include "service/base/identifiers.h"

namespace viewcount {
namespace simulation {
namespace {

Random* source = nullptr;

}  // namespace

void DrawIdentifiersFrom(Random* random) { source = random; }

}  // namespace simulation

void FillRandom(std::array<uint8_t, 16>& bytes) {
  VIEWCOUNT_CHECK(simulation::source != nullptr);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(simulation::source->Below(256));
}

}  // namespace viewcount
