// The planted bugs by name, and the first seed that catches each. A bug that no seed catches shows a gap in the
// simulation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "service/base/planted_bug.h"

namespace viewcount::simulation {

// A planted bug.
struct PlantedBugEntry {
  PlantedBug bug = PlantedBug::kNone;
  std::string_view name;
  // The first seed that catches the bug, as in README.md. The test of planted bugs begins with this seed.
  uint64_t first_seed = 1;
};

// Returns all planted bugs in the order of README.md's table.
std::span<const PlantedBugEntry> PlantedBugs();

}  // namespace viewcount::simulation
