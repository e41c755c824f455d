// What was built: for --version, viewcount_build_info and bug reports.
#pragma once

#include <string_view>

namespace viewcount {

// Thread safe; each view lives as long as the program.
// The project's version, such as "0.1.0".
std::string_view Version();
// The source's revision as 12 hexadecimal digits, "-dirty" behind it when files were changed; "unknown" for a source
// tree without Git, unless the build was configured with -DVIEWCOUNT_REVISION=….
std::string_view Revision();
// The compiler and its version, such as "GNU 12.2.0".
std::string_view Compiler();

}  // namespace viewcount
