// How a simulated process ends other than by its own will.
#pragma once

#include <string>

namespace viewcount::simulation {

// Thrown through the product's code from where the process dies; caught by the world.
struct Crash {
  std::string reason;
};

}  // namespace viewcount::simulation
