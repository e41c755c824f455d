#include "service/config/default_directory.h"

#include <absl/status/status.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace viewcount {
namespace {

// Returns the value of a variable, or nothing if it is not an absolute path. The XDG Base Directory Specification 0.8
// requires that relative paths are ignored.
std::string_view AbsolutePathIn(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : std::string_view();
}

}  // namespace

absl::StatusOr<std::string> DefaultDataDirectory() {
  // systemd separates several directories by colons. The service's is the first.
  if (const auto state = AbsolutePathIn("STATE_DIRECTORY"); !state.empty()) {
    return std::string(state.substr(0, state.find(':')));
  }
  if (const auto state = AbsolutePathIn("XDG_STATE_HOME"); !state.empty()) return std::string(state) + "/viewcount";
  if (geteuid() == 0) return "/var/lib/viewcount";
  if (const auto home = AbsolutePathIn("HOME"); !home.empty()) return std::string(home) + "/.local/state/viewcount";
  return absl::FailedPreconditionError("data-dir: there is no default, because HOME is not set; give --data-dir");
}

}  // namespace viewcount
