// A promise that the product did not keep: what a simulation looks for.
#pragma once

#include <string>

namespace viewcount::simulation {

// Thrown from where it is seen, through the product's code if need be; it ends the run.
struct Violation {
  std::string what;
};

}  // namespace viewcount::simulation
