// The version and build of this program, for --version, viewcount_build_info and bug reports.
#pragma once

#include <string_view>

namespace viewcount {

// All functions are thread-safe. The returned views live as long as the program.
//
// Returns the project's version, such as "0.1.0".
std::string_view Version();
// Returns the source's revision as 12 hexadecimal digits, with "-dirty" at the end if files were changed. Returns
// "unknown" for a source tree without Git, unless the build was configured with -DVIEWCOUNT_REVISION=….
std::string_view Revision();
// Returns the compiler and its version, such as "GNU 12.2.0".
std::string_view Compiler();

}  // namespace viewcount
