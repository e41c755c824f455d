// Where the product's random identifiers come from in a simulation: this program has a FillRandom of its own in place
// of service/base/random_bytes.cc.
#pragma once

#include "tests/simulation/random.h"

namespace viewcount::simulation {

// From now on identifiers are `random`'s, which must outlive their making. Null: there must be none made.
void DrawIdentifiersFrom(Random* random);

}  // namespace viewcount::simulation
