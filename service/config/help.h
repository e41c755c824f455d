// What viewcountd --help prints. CLI11's own help neither wraps lines nor keeps the order of the settings' table.
#pragma once

#include <string>

namespace viewcount {

// All flags with units, defaults and examples, in lines of at most 100 characters.
std::string HelpText();

}  // namespace viewcount
