// Where data lives when nobody says where.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace viewcount {

// The first of: $STATE_DIRECTORY (set by systemd), $XDG_STATE_HOME/viewcount, /var/lib/viewcount for root,
// $HOME/.local/state/viewcount. FAILED_PRECONDITION if there is none. Not thread safe against setenv.
absl::StatusOr<std::string> DefaultDataDirectory();

}  // namespace viewcount
