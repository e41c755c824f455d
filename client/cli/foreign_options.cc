#include "client/cli/foreign_options.h"

#include <CLI/CLI.hpp>

namespace viewcount::cli {
namespace {

constexpr char kAgain[] = "\nImporting a file again, or when it was renamed or compressed, counts nothing.";

void AddCommon(CLI::App& command, ImportForeignCommand& options, const char* files, const char* overlapping) {
  command.add_option("FILE", options.files, files)->required();
  command.add_flag("--dry-run", options.dry_run, "Count nothing, and say what would be counted");
  command.add_flag("--strict", options.strict, "Exit with 3 if there are bad lines; good ones count all the same");
  command.add_option("--retry-for", options.retry_for, "How long to try again if the service is away")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
  command.add_flag("--overlapping", options.overlapping, overlapping);
}

constexpr char kNoHosts[] =
    "is not possible: Plausible adds the views of all hosts to one row for a page and day, and names any of its hosts; "
    "import without --host";

}  // namespace

void AddForeignImports(const AddForeignCommand& add, ForeignImports& imports) {
  auto* goatcounter =
      add("goatcounter",
          std::string("Import a CSV export of GoatCounter, version 1 or 2\n\n"
                      "Every row is a view at its own time. Events are no views, and rows of bots are bot views. The\n"
                      "site's rule says which path is which article. A later export from the same first view counts\n"
                      "only its new rows. A day of which another export was imported is refused.") +
              kAgain,
          "  viewcount import goatcounter --dry-run goatcounter-export.csv.gz\n"
          "  viewcount import goatcounter goatcounter-export.csv.gz",
          imports.goatcounter);
  AddCommon(*goatcounter, imports.goatcounter, "Exports, plain or .gz, .bz2, .xz, .zst; - is standard input",
            "Count days that were imported from another export, too, such as those of an earlier part");

  auto* plausible =
      add("plausible",
          std::string("Import the pages of a CSV export of Plausible: imported_pages_*.csv in its archive\n\n"
                      "Every row has the views of a page on a day, and is counted at noon in the site's time zone.\n"
                      "A day that was imported from another export is refused, because it would count twice.") +
              kAgain,
          "  unzip -p example_org.zip 'imported_pages_*.csv' | viewcount import plausible -\n"
          "  viewcount import plausible imported_pages_20240101_20241231.csv",
          imports.plausible);
  AddCommon(*plausible, imports.plausible, "Files, plain or compressed; - is standard input",
            "Count days that were imported from another export, too, such as those of another site");
  // import access-log has it, so it is refused with the reason.
  plausible
      ->add_option_function<std::string>("--host",
                                         [](const std::string&) { throw CLI::ValidationError("--host", kNoHosts); })
      ->type_name("NAME")
      ->group("");

  auto* wikimedia =
      add("wikimedia",
          std::string("Import hourly dumps of Wikimedia's page views: pageviews-YYYYMMDD-HH0000.gz\n\n"
                      "The name of a dump has the end of its hour, in UTC. A page's title is its article's ID, with\n"
                      "underscores, after the text of --prefix. A line is imported once, so name all domains at once.\n"
                      "An hour that was imported from another dump is refused, because it would count twice.") +
              kAgain,
          "  viewcount import wikimedia --domain vi --domain vi.m pageviews-20261130-130000.gz\n"
          "  viewcount import wikimedia --domain vi --prefix /wiki/ pageviews-*.gz",
          imports.wikimedia);
  AddCommon(*wikimedia, imports.wikimedia, "Dumps with their names, plain or compressed",
            "Count hours that were imported from another dump, too, such as one of other lines");
  wikimedia
      ->add_option("--domain", imports.wikimedia.domains,
                   "Count lines with this domain code only, such as en for en.wikipedia.org or en.m for its mobile "
                   "pages; repeatable")
      ->type_name("CODE")
      ->required()
      ->allow_extra_args(false);
  wikimedia->add_option("--prefix", imports.wikimedia.prefix, "The beginning of each article's ID, before the title")
      ->type_name("TEXT");
}

}  // namespace viewcount::cli
