// The default of the data directory.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace viewcount {

// Returns the first of these that is available: $STATE_DIRECTORY (set by systemd), $XDG_STATE_HOME/viewcount,
// /var/lib/viewcount for root, $HOME/.local/state/viewcount. Returns FAILED_PRECONDITION if there is none. Must not run
// concurrently with setenv.
absl::StatusOr<std::string> DefaultDataDirectory();

}  // namespace viewcount
