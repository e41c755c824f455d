// The table of settings: the name of each, its description, and the conversion of its text to a field of Config.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/config/config.h"

namespace viewcount {

struct Setting {
  // The flag without its dashes, and the key in a --config file.
  const char* key;
  // The placeholder for the value in --help.
  const char* value_name;
  // The description, with unit, default and the cost of raising the value.
  const char* help;
  bool repeatable;
  // Checks `values` and stores them. There is at least one value, and exactly one unless `repeatable`. Returns
  // INVALID_ARGUMENT or UNIMPLEMENTED with the allowed values. The message never contains a password.
  absl::Status (*apply)(const std::vector<std::string>& values, Config& config);
  // True if a running service can apply a new value; see ReloadConfig.
  bool reloadable = false;
};

// Returns all settings in the order of --help.
std::span<const Setting> Settings();

// Returns the setting's environment variable, such as VIEWCOUNT_GRPC_ADDRESS for "grpc-address".
std::string EnvironmentNameOf(std::string_view key);

// Checks settings that depend on each other. Returns INVALID_ARGUMENT if two of them contradict each other.
absl::Status CheckTogether(const Config& config);

}  // namespace viewcount
