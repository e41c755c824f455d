// The exception that reports a promise that the product did not keep.
#pragma once

#include <string>

namespace viewcount::simulation {

// Thrown where the violation is found, if necessary through the product's code. It ends the run.
struct Violation {
  std::string what;
};

}  // namespace viewcount::simulation
