// Reads the settings as text from flags, environment and file, each with its source.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// The text of one setting and its source for error messages: "--lanes", "VIEWCOUNT_LANES" or "lanes in FILE".
struct RawSetting {
  std::vector<std::string> values;
  std::string source;
};

// By the setting's key.
using RawSettings = std::map<std::string, RawSetting, std::less<>>;

// The parsed flags. `Action` is set by flags after which the service does not run.
struct CommandLine {
  enum class Action { kRun, kCheckConfig, kHelp, kVersion };
  Action action = Action::kRun;
  RawSettings settings;
  // The value of --config. Empty without it.
  std::string config_file;
};

// Parses the flags. Returns INVALID_ARGUMENT with the name of an unknown or incomplete flag, and the most similar known
// one.
absl::StatusOr<CommandLine> ReadCommandLine(int argc, const char* const* argv);

// Reads the variables VIEWCOUNT_…. Unknown variables are not errors, because Kubernetes sets some for a service named
// viewcount. Each of them adds a line to `warnings`. Empty variables count as not set.
RawSettings ReadEnvironment(std::vector<std::string>& warnings);

// Reads a file of `key = value` lines (TOML, INI). Returns NOT_FOUND if it cannot be read. Returns INVALID_ARGUMENT if
// it is malformed, or with the name of an unknown key.
absl::StatusOr<RawSettings> ReadConfigFile(const std::string& path);

// Returns the word in `known` with the fewest edits from `word`. Returns an empty text if every word needs too many
// edits.
std::string_view NearestOf(std::string_view word, std::span<const std::string> known);

}  // namespace viewcount
