// Small files that must survive a crash.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace viewcount {

// Writes `text` to `path` so that after a crash either the old or the new text is there. Errors name the path.
absl::Status WriteFileDurably(const std::string& path, std::string_view text);

// The whole file; NOT_FOUND if there is none.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Makes the folder, and those above it, for the owner only. Errors name the path and what to do.
absl::Status MakeFolder(const std::string& path);

}  // namespace viewcount
