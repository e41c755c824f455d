// The planted bugs by name, and where they show: a bug that no seed catches is a hole in the simulation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "service/base/planted_bug.h"

namespace viewcount::simulation {

struct PlantedBugEntry {
  PlantedBug bug = PlantedBug::kNone;
  std::string_view name;
  // The first seed that catches it, as README.md has it; a test begins there.
  uint64_t first_seed = 1;
};

// All of them, in the order of README.md's table.
std::span<const PlantedBugEntry> PlantedBugs();

}  // namespace viewcount::simulation
