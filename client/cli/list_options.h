// The options of commands that show a list of articles.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/util/time_util.h>

#include <cstdint>
#include <string>

#include "client/cli/window_options.h"

namespace CLI {
class App;
}

namespace viewcount::cli {

// The articles that a list is restricted to. Empty texts restrict nothing.
struct ListRestriction {
  std::string section = {};
  std::string author = {};
  std::string tag = {};
  std::string language = {};
  // A duration.
  std::string published_within = {};
};

// Adds --section, --author, --tag, --language and --published-within. `restriction` must outlive the command.
void AddListRestriction(CLI::App& command, ListRestriction& restriction);

// Sets the restrictions of a request for a list. INVALID_ARGUMENT names the option.
template <typename Request>
absl::Status FillRestriction(const ListRestriction& restriction, Request& request) {
  request.set_section(restriction.section);
  request.set_author(restriction.author);
  request.set_tag(restriction.tag);
  request.set_language(restriction.language);
  if (restriction.published_within.empty()) return absl::OkStatus();
  const auto within = SpanOfTime(restriction.published_within);
  if (!within) return absl::InvalidArgumentError("--published-within must be a duration such as 24h, 30d or 12w");
  *request.mutable_published_within() = google::protobuf::util::TimeUtil::MillisecondsToDuration(within->count());
  return absl::OkStatus();
}

// The longest list that these commands show.
inline constexpr uint32_t kScoredListMax = 256;

struct TrendingCommand {
  uint32_t limit = 20;
  // Durations. Empty for the service's defaults.
  std::string half_life = {};
  std::string last = {};
  ListRestriction only = {};
  bool csv = false;
};
struct RisingCommand {
  uint32_t limit = 20;
  // A duration. Empty for the service's default.
  std::string last = {};
  ListRestriction only = {};
  bool csv = false;
};
struct NowCommand {
  uint32_t limit = 20;
  // A duration.
  std::string last = "15m";
  ListRestriction only = {};
  // True to show the list again and again until the command is stopped.
  bool watch = false;
  bool csv = false;
};

// Adds the options of the commands, which must outlive them.
void AddTrendingOptions(CLI::App& command, TrendingCommand& options);
void AddRisingOptions(CLI::App& command, RisingCommand& options);
void AddNowOptions(CLI::App& command, NowCommand& options);

}  // namespace viewcount::cli
