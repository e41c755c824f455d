// The text of viewcountd --help. CLI11's own help neither wraps lines nor keeps the order of the table of settings.
#pragma once

#include <string>

namespace viewcount {

// Returns the description of all flags with units, defaults and examples. A line has at most 100 characters.
std::string HelpText();

}  // namespace viewcount
