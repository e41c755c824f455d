// The table of settings: what each is called, what it does, and how its text becomes a field of Config.
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
  // What stands for the value in --help.
  const char* value_name;
  // With unit, default and what raising it costs.
  const char* help;
  bool repeatable;
  // Checks `values` (at least one; exactly one unless repeatable) and stores them. INVALID_ARGUMENT or UNIMPLEMENTED
  // says what is allowed; it never holds a password.
  absl::Status (*apply)(const std::vector<std::string>& values, Config& config);
  // A running service can take it over; see ReloadConfig.
  bool reloadable = false;
};

// All of them, in the order of --help.
std::span<const Setting> Settings();

// VIEWCOUNT_GRPC_ADDRESS for "grpc-address".
std::string EnvironmentNameOf(std::string_view key);

// What no single setting can tell: INVALID_ARGUMENT when two of them do not go together.
absl::Status CheckTogether(const Config& config);

}  // namespace viewcount
