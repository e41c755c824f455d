// The exception by which a simulated process dies.
#pragma once

#include <string>

namespace viewcount::simulation {

// Thrown at the place where the process dies, through the product's code. The world catches it.
struct Crash {
  std::string reason;
};

}  // namespace viewcount::simulation
