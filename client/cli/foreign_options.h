// The options of the commands that import from other counters: import goatcounter, plausible and wikimedia.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/foreign_format.h"

namespace CLI {
class App;
}

namespace viewcount::cli {

// A plain value.
struct ImportForeignCommand {
  ForeignFormat format = ForeignFormat::kGoatCounter;
  std::vector<std::string> files = {};
  // See ForeignRules.
  std::vector<std::string> domains = {};
  std::string prefix = {};
  // True to count days, or hours of Wikimedia, that another file had, too.
  bool overlapping = false;
  // True to only say what would be counted.
  bool dry_run = false;
  bool strict = false;
  // The time limit for each batch with all its retries, in seconds.
  double retry_for = 60;
};

// The options of each of the commands. They must outlive the command line.
struct ForeignImports {
  ImportForeignCommand goatcounter{.format = ForeignFormat::kGoatCounter};
  ImportForeignCommand plausible{.format = ForeignFormat::kPlausible};
  ImportForeignCommand wikimedia{.format = ForeignFormat::kWikimedia};
};

// Adds a command with a name, a description and examples, which is parsed into the options.
using AddForeignCommand =
    std::function<CLI::App*(const std::string&, const std::string&, const std::string&, ImportForeignCommand&)>;

// Adds the commands.
void AddForeignImports(const AddForeignCommand& add, ForeignImports& imports);

}  // namespace viewcount::cli
