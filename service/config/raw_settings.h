// The settings as text, from flags, environment and file, each with its source.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// One setting's text and where it was found, for error messages: "--lanes", "VIEWCOUNT_LANES" or "lanes in FILE".
struct RawSetting {
  std::vector<std::string> values;
  std::string source;
};

// By the setting's key.
using RawSettings = std::map<std::string, RawSetting, std::less<>>;

// The flags as CLI11 saw them. `Action` is set by flags that run nothing.
struct CommandLine {
  enum class Action { kRun, kCheckConfig, kHelp, kVersion };
  Action action = Action::kRun;
  RawSettings settings;
  // Of --config; empty without it.
  std::string config_file;
};

// INVALID_ARGUMENT names the flag that is unknown or incomplete, and the nearest known one.
absl::StatusOr<CommandLine> ReadCommandLine(int argc, const char* const* argv);

// Reads the variables VIEWCOUNT_…. Unknown ones are no error, because Kubernetes sets some for a service called
// viewcount: each adds a line to `warnings`. Empty ones count as not set.
RawSettings ReadEnvironment(std::vector<std::string>& warnings);

// Reads a file of `key = value` lines (TOML, INI). NOT_FOUND when it cannot be read, INVALID_ARGUMENT names a key that
// is unknown.
absl::StatusOr<RawSettings> ReadConfigFile(const std::string& path);

// The one of `known` with the fewest edits from `word`, if they are few; else empty.
std::string_view NearestOf(std::string_view word, std::span<const std::string> known);

}  // namespace viewcount
