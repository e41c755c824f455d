// Small files that must survive a crash. Thread-safe as long as no two concurrent calls name the same path.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "service/base/disk.h"

namespace viewcount {

// Writes `text` to `path`. After a crash the file holds either the old or the new text, never a mixture. A crash or an
// error may leave a draft behind, whose name is `path` and ".new". Errors name the path.
absl::Status WriteFileDurably(Disk& disk, const std::string& path, std::string_view text);

// Returns the content of the whole file, or NOT_FOUND if it does not exist.
absl::StatusOr<std::string> ReadFile(Disk& disk, const std::string& path);

}  // namespace viewcount
