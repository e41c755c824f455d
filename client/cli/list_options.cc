#include "client/cli/list_options.h"

#include <CLI/CLI.hpp>

namespace viewcount::cli {
namespace {

void AddLimitAndFormat(CLI::App& command, uint32_t& limit, bool& csv) {
  command.add_option("--limit", limit, "How many")->check(CLI::Range(1U, kScoredListMax))->capture_default_str();
  command.add_flag("--csv", csv, "Print the list as CSV");
}

}  // namespace

void AddListRestriction(CLI::App& command, ListRestriction& restriction) {
  command.add_option("--section", restriction.section, "Only articles that were announced with this section");
  command.add_option("--author", restriction.author, "Only articles that were announced with this author");
  command.add_option("--tag", restriction.tag, "Only articles that were announced with this tag");
  command.add_option("--language", restriction.language, "Only articles that were announced with this language");
  command
      .add_option("--published-within", restriction.published_within, "Only articles that are not older: 24h, 30d, 12w")
      ->type_name("DURATION");
}

void AddTrendingOptions(CLI::App& command, TrendingCommand& options) {
  AddLimitAndFormat(command, options.limit, options.csv);
  command
      .add_option("--half-life", options.half_life,
                  "The time in which a view loses half of its weight, 1h to 48h; 6h if not given")
      ->type_name("DURATION");
  command
      .add_option("--last", options.last,
                  "The hours that are taken into account, up to 192h; eight half-lives if not given")
      ->type_name("DURATION");
  AddListRestriction(command, options.only);
}

void AddRisingOptions(CLI::App& command, RisingCommand& options) {
  AddLimitAndFormat(command, options.limit, options.csv);
  command.add_option("--last", options.last, "The last hours that are compared, 1h to 24h; 3h if not given")
      ->type_name("DURATION");
  AddListRestriction(command, options.only);
}

void AddNowOptions(CLI::App& command, NowCommand& options) {
  AddLimitAndFormat(command, options.limit, options.csv);
  command.add_option("--last", options.last, "The last minutes: a multiple of 5m, up to 120m")
      ->type_name("DURATION")
      ->capture_default_str();
  auto* watch = command.add_flag("--watch", options.watch, "Show the list again every five seconds, until Ctrl-C");
  command.get_option("--csv")->excludes(watch);
  AddListRestriction(command, options.only);
}

}  // namespace viewcount::cli
