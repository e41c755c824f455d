// Makes the product's random identifiers depend on the seed. This program has its own FillRandom in place of
// service/base/random_bytes.cc.
#pragma once

#include "tests/simulation/random.h"

namespace viewcount::simulation {

// From now on identifiers are drawn from `random`, which must outlive their use. Null means that no identifier may be
// drawn.
void DrawIdentifiersFrom(Random* random);

}  // namespace viewcount::simulation
