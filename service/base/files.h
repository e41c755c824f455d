// Small files that must survive a crash. Thread safe as long as no two calls name the same path.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/base/disk.h"

namespace viewcount {

// Writes `text` to `path` so that after a crash either the old or the new text is there; a draft, `path` and ".new",
// may be left over. Errors name the path.
absl::Status WriteFileDurably(Disk& disk, const std::string& path, std::string_view text);

// The whole file; NOT_FOUND if there is none.
absl::StatusOr<std::string> ReadFile(Disk& disk, const std::string& path);

}  // namespace viewcount
