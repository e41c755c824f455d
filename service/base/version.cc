#include "service/base/version.h"

#include "viewcount_revision.h"  // Generated at build time by cmake/revision.cmake.

namespace viewcount {

std::string_view Version() { return VIEWCOUNT_VERSION; }

std::string_view Revision() { return VIEWCOUNT_REVISION; }

std::string_view Compiler() { return VIEWCOUNT_COMPILER; }

}  // namespace viewcount
