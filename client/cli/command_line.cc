#include "client/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "client/cli/alert_options.h"
#include "client/cli/announce_options.h"
#include "client/cli/choice_option.h"
#include "client/cli/counts_day.h"
#include "client/cli/report_options.h"
#include "service/base/duration.h"
#include "service/base/limits.h"
#include "service/sites/site_settings.h"

namespace viewcount::cli {
using namespace std::chrono_literals;

namespace {

constexpr char kFooter[] = R"(Exit codes:
  0  done
  1  the service refused or failed, or a file could not be read
  2  wrong usage
  3  import --strict met bad lines
  4  no service answered
  5  import understood no line at all or not the file, or announce no entry

Examples:
  viewcount site put portal --time-zone Asia/Ho_Chi_Minh
  viewcount record news/3933
  viewcount --site portal top --limit 10 --json
  viewcount import access-log /var/log/nginx/access.log)";

std::chrono::seconds CoolDownOf(const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration || *duration > limits::kCoolDownMax || *duration % std::chrono::seconds(1) != 0s) {
    throw CLI::ValidationError("--cool-down", fmt::format("must be whole seconds with a unit, up to {}, such as 90s or "
                                                          "30m, not \"{}\"",
                                                          FormatDuration(limits::kCoolDownMax), text));
  }
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

// Reads whole days such as 30d. The service checks the range.
std::chrono::hours DaysOf(const char* option, const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration || *duration % std::chrono::days(1) != 0s || *duration > std::chrono::days(kDaysKeptDaysMax)) {
    throw CLI::ValidationError(option, fmt::format("must be whole days such as 30d, not \"{}\"", text));
  }
  return std::chrono::duration_cast<std::chrono::hours>(*duration);
}

// Declares the commands and holds the structures that their options are parsed into. Used once, by one thread.
class Parser {
 public:
  Parser() {
    app_.name("viewcount");
    app_.description("Counts page views, and answers how many there are.");
    app_.footer(kFooter);
    app_.require_subcommand(1);
    // Subcommands inherit fallthrough(). It allows the global options to stand after the command as well.
    app_.fallthrough();
    app_.set_version_flag("--version", "viewcount " VIEWCOUNT_VERSION);
    app_.add_option("--server", line_.global.server, "Address of the service")
        ->envname("VIEWCOUNT_SERVER")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    app_.add_option("--site", line_.global.site, "The site; not needed if there is only one")
        ->envname("VIEWCOUNT_SITE")
        ->type_name("NAME");
    app_.add_flag("--json", line_.global.json, "Print the answer as JSON");
    app_.add_option("--timeout", line_.global.timeout, "For each call to the service")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.001, 86'400.0))
        ->capture_default_str();
    AddViewCommands();
    AddSeries();
    AddReport();
    AddExport();
    AddAdminCommands();
    AddAlerts();
    AddJournal();
    AddAdjustmentCommands();
    AddAnnotationCommands();
    AddImport();
  }

  std::variant<CommandLine, ExitCode> Parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
      return line_;
    } catch (const CLI::Success& success) {
      app_.exit(success);
      return FlushOutput() ? ExitCode::kOk : ExitCode::kFailed;
    } catch (const CLI::ParseError& error) {
      PrintError(fmt::format("{}; see {} --help", Problem(error), Path()));
      return ExitCode::kUsage;
    }
  }

 private:
  // Adds a command whose options are parsed into `options`.
  template <typename Options>
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& description, const std::string& examples,
                Options& options) {
    auto* command = parent.add_subcommand(name, description);
    command->footer("Examples:\n" + examples);
    command->final_callback([this, &options] { line_.command = options; });
    return command;
  }

  void AddViewCommands();
  void AddSeries();
  void AddReport();
  void AddExport();
  using List = std::optional<std::vector<std::string>>;
  // Adds an option that replaces a list of the site's settings.
  static void AddList(CLI::App& command, const char* name, List& list, const char* help, const char* type);
  static void AddAddressFlag(CLI::App& command, bool& by_address);
  void AddCsvFlag(CLI::App& command, bool& csv);
  void AddRuleOptions(CLI::App& put);
  void AddAdminCommands();
  void AddAlerts();
  void AddJournal();
  void AddAdjustmentCommands();
  void AddAnnotationCommands();
  void AddImport();
  void AddImportCounts(CLI::App& import);

  // Returns the innermost command that was named on the command line.
  const CLI::App& Innermost() const {
    const CLI::App* command = &app_;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    return *command;
  }
  // Returns the innermost command's name with the names of its parents, such as "viewcount site put".
  std::string Path() const {
    std::string path = "viewcount";
    const CLI::App* command = &app_;
    while (!command->get_subcommands().empty()) {
      command = command->get_subcommands().front();
      path += " " + command->get_name();
    }
    return path;
  }
  // Returns the error's text. For an unknown command CLI11 would only say that a command is missing, so this function
  // names the unknown command.
  std::string Problem(const CLI::ParseError& error) const {
    const auto unknown = Innermost().remaining();
    if (unknown.empty() || dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) return error.what();
    return fmt::format("there is no command \"{}\"", unknown.front());
  }

  CommandLine line_;
  RecordCommand record_;
  CountCommand count_;
  TopCommand top_;
  TrendingCommand trending_;
  RisingCommand rising_;
  NowCommand now_;
  StatsCommand stats_;
  WatchCommand watch_;
  SeriesCommand series_;
  ReportCommand report_;
  ExportCommand export_;
  NormalizeCommand normalize_;
  SitePutCommand site_put_;
  SiteListCommand site_list_;
  AnnounceCommand announce_;
  SetCommand set_;
  MergeCommand merge_;
  DeleteCommand delete_;
  AdjustmentsCommand adjustments_;
  UndoCommand undo_;
  AnnotationPutCommand annotation_put_;
  AnnotationListCommand annotation_list_;
  AnnotationDeleteCommand annotation_delete_;
  FlushCommand flush_;
  StatusCommand status_;
  AuditCommand audit_;
  AlertPutCommand alert_put_;
  AlertListCommand alert_list_;
  AlertDeleteCommand alert_delete_;
  AlertTestCommand alert_test_;
  JournalVerifyCommand verify_;
  JournalRepairCommand repair_;
  JournalDrainCommand drain_;
  ImportAccessLogCommand import_;
  ForeignImports foreign_;
  ImportCountsCommand import_counts_;
  // Declared last because its callbacks refer to all members above.
  CLI::App app_;
};

void Parser::AddViewCommands() {
  auto* record = Add(app_, "record", "Record views of articles",
                     "  viewcount record news/3933\n  viewcount record --count 3 --bot news/1 news/2", record_);
  record->add_option("ARTICLE", record_.articles, "Article IDs")->required()->expected(1, limits::kBatchViewsMax);
  record->add_option("--count", record_.count, "How many views of each article")
      ->check(CLI::Range(1U, limits::kViewCountMax))
      ->capture_default_str();
  record->add_option("--viewer", record_.viewer, "A 64-bit hash that stands for the viewer; 0 if unknown");
  AddAddressFlag(*record, record_.by_address);
  record->add_flag("--bot", record_.bot, "A machine looked: counted apart");

  auto* count = Add(app_, "count", "Show the counts of articles",
                    "  viewcount count news/3933 news/3934\n"
                    "  viewcount count --address https://news.example.org/news.aspx?id=3933",
                    count_);
  count->add_option("ARTICLE", count_.articles, "Article IDs")->required();
  AddAddressFlag(*count, count_.by_address);

  auto* top = Add(app_, "top", "Show the most viewed articles",
                  "  viewcount top\n  viewcount top --limit 1000 --csv > top.csv\n  viewcount top --last 24h --section "
                  "sport --previous\n  viewcount top --limit 100 "
                  "--day today\n"
                  "  viewcount top --from 2026-11-01T00:00:00+07:00 --to 2026-12-01T00:00:00+07:00 --json",
                  top_);
  top->add_option("--limit", top_.limit, "How many")
      ->check(CLI::Range(size_t{1}, limits::kDeepListMax))
      ->capture_default_str();
  AddWindowOptions(*top, top_.window);
  // The flag changes nothing. It lets users state the default explicitly.
  auto* all = top->add_flag("--all-time")->description("Of all time (the default)");
  for (const char* option : {"--last", "--day", "--from"}) all->excludes(top->get_option(option));
  AddListRestriction(*top, top_.only);
  top->add_flag("--previous", top_.previous, "Show the ranks of the window before, too");
  top->add_flag("--spark", top_.spark, "Show the hours or days of the window for each article, of up to 50 articles");
  AddCsvFlag(*top, top_.csv);
  top->add_flag("--exact", top_.exact, "Read all articles if the list cannot be exact otherwise; takes up to a minute");

  AddTrendingOptions(*Add(app_, "trending", "Show the articles with the most views when older views count less",
                          "  viewcount trending\n  viewcount trending --half-life 2h --section sport", trending_),
                     trending_);
  AddRisingOptions(*Add(app_, "rising", "Show the articles with more views than usual",
                        "  viewcount rising\n  viewcount rising --last 1h --limit 50 --csv", rising_),
                   rising_);
  AddNowOptions(*Add(app_, "now", "Show the most viewed articles of the last minutes",
                     "  viewcount now\n  viewcount now --last 5m --watch", now_),
                now_);

  Add(app_, "stats", "Show the site's views, visits and viewers: in all, today, yesterday, this week and this month",
      "  viewcount stats\n  viewcount --site portal stats --json", stats_);
  auto* watch = Add(
      app_, "watch",
      "Show counts as they change, until Ctrl-C\n\n"
      "At most once a second. Without articles the whole site's views alone.",
      "  viewcount watch\n  viewcount watch news/3933 news/3934\n  viewcount watch --count 1 --json news/1", watch_);
  watch->add_option("ARTICLE", watch_.articles, "Article IDs")->expected(0, limits::kWatchArticlesMax);
  AddAddressFlag(*watch, watch_.by_address);
  watch->add_option("--count", watch_.count, "End after so many messages; 0 for never")
      ->check(CLI::Range(0U, 1'000'000'000U))
      ->capture_default_str();
}

void Parser::AddSeries() {
  auto* series = Add(app_, "series", "Show views over time, of an article, of a section or of the whole site",
                     "  viewcount series --last 24h --step hour\n"
                     "  viewcount series --section sport --last 7d --compare before\n"
                     "  viewcount series news/3933 --last 12w --step week\n"
                     "  viewcount series --from 2026-01-01T00:00:00+07:00 --to 2026-12-01T00:00:00+07:00 --step month",
                     series_);
  series->add_option("ARTICLE", series_.article, "An article's ID; without it the whole site");
  series->add_flag("--address", series_.by_address, "The article is given as the address of its page");
  series->add_option("--section", series_.section, "All articles that are announced with this section");
  series->add_option("--author", series_.author, "All articles that are announced with this author");
  series->add_option("--tag", series_.tag, "All articles that are announced with this tag");
  for (const auto& [one, other] : {std::pair("--section", "--author"), {"--section", "--tag"}, {"--author", "--tag"}}) {
    series->get_option(one)->excludes(series->get_option(other));
  }
  AddWindowOptions(*series, series_.window);
  AddChoice(*series, "--compare", series_.compare,
            "Show the points before, too, or those of 364 days before (months: of the year before)",
            std::map<std::string, SeriesCompare>{{"before", SeriesCompare::kBefore}, {"year", SeriesCompare::kYear}});
  AddCsvFlag(*series, series_.csv);
  AddChoice(*series, "--step", series_.step, "The length of a point; day if not given",
            std::map<std::string, v1::SeriesStep>{{"hour", v1::SERIES_STEP_HOUR},
                                                  {"day", v1::SERIES_STEP_DAY},
                                                  {"week", v1::SERIES_STEP_WEEK},
                                                  {"month", v1::SERIES_STEP_MONTH}});
}

void Parser::AddReport() {
  auto* report = Add(app_, "report", "Write a report of a month or another window: totals, days, articles, sections",
                     "  viewcount report --month 2026-10 --compare\n"
                     "  viewcount --site portal report --format html --language vi --output report.html\n"
                     "  viewcount report --day today --top 50\n"
                     "  viewcount report --last 30d --format csv > report.csv",
                     report_);
  AddReportOptions(*report, report_);
}

void Parser::AddExport() {
  auto* export_all =
      Add(app_, "export", "Write all articles with their counts, of all time or of a window, to standard output",
          "  viewcount export > counts.csv\n"
          "  viewcount --site portal export --format jsonl --last 7d > week.jsonl\n"
          "  viewcount --site portal export --full > snapshot.jsonl",
          export_);
  AddChoice(*export_all, "--format", export_.format,
            "csv, for spreadsheets, or jsonl: one JSON object in each line, with IDs as they are",
            std::map<std::string, ExportFormat>{{"csv", ExportFormat::kCsv}, {"jsonl", ExportFormat::kJsonLines}});
  AddWindowOptions(*export_all, export_.window);
  auto* full = export_all->add_flag(
      "--full", export_.full,
      "Write a snapshot for viewcount import counts: each article with all its days and hours, the site's own start "
      "values and visits, merged and announced articles. Estimated viewers are not in it. The counts of an article are "
      "of one moment, all together are not");
  for (const char* option : {"--format", "--last", "--day", "--from"}) full->excludes(export_all->get_option(option));

  auto* normalize =
      Add(app_, "normalize", "Show the articles that the site's present rule for addresses joins, or join them",
          "  viewcount normalize portal\n  viewcount normalize portal --apply --why \"ItemID names the articles\"",
          normalize_);
  normalize->add_option("SITE", normalize_.site, "The site")->required();
  normalize->add_flag("--canonical", normalize_.canonical,
                      "The site's pages declare canonical addresses, so the queries of all IDs are kept");
  normalize->add_flag(
      "--apply", normalize_.apply,
      "Move the counts, as one adjustment that viewcount undo takes back; several if they are many. The "
      "estimated viewers stay where they are");
  normalize->add_flag("--join-parameters", normalize_.join_parameters,
                      "Move counts also where articles differ in a parameter that the rule drops");
  normalize->add_option("--why", normalize_.why, "A sentence, kept with the change");
}

void Parser::AddList(CLI::App& command, const char* name, List& list, const char* help, const char* type) {
  // An optional list would stay without a value where the only value is an empty text.
  command
      .add_option_function<std::vector<std::string>>(
          name, [&list](const std::vector<std::string>& values) { list = values; }, help)
      ->type_name(type)
      ->allow_extra_args(false);
}

void Parser::AddAddressFlag(CLI::App& command, bool& by_address) {
  command.add_flag("--address", by_address,
                   "The articles are given as addresses of their pages, which the site's rule turns into article IDs");
}

void Parser::AddCsvFlag(CLI::App& command, bool& csv) {
  command.add_flag("--csv", csv, "Print the answer as CSV, for spreadsheets")->excludes(app_.get_option("--json"));
}

void Parser::AddRuleOptions(CLI::App& put) {
  const auto add_list = [&put](const char* name, List& list, const char* help, const char* type) {
    AddList(put, name, list, help, type);
  };
  const auto add_switch = [&put](const char* names, std::optional<bool>& on, const char* help) {
    put.add_flag_function(
        names, [&on](int64_t times) { on = times > 0; }, help);
  };
  add_list("--article-parameter", site_put_.article_parameters,
           "The parameters of an address that name an article, in place of those so far; all others are dropped. "
           "Repeatable; at first id, ItemID, ArticleID, NewsID, PostID, nid, aid and p, which '' brings back",
           "NAME");
  auto* added = put.add_option("--add-article-parameter", site_put_.added_article_parameters,
                               "A parameter that names an article, beside those so far; repeatable")
                    ->type_name("NAME")
                    ->allow_extra_args(false);
  add_switch("--drop-query,!--keep-query", site_put_.drop_query, "Drop every query of an address");
  added->excludes(put.get_option("--drop-query"));
  add_switch("--fold-case,!--keep-case", site_put_.fold_case, "Take capital and small letters of paths for the same");
  add_switch("--strip-slash,!--keep-slash", site_put_.strip_slash,
             "Remove slashes at the end of paths, and repeated ones");
  add_list("--index-name", site_put_.index_names,
           "A name such as index.html that is removed from the end of paths, in place of those so far; repeatable",
           "NAME");
  add_list("--exclude-path", site_put_.excluded_paths,
           "Paths whose views by address do not count, beside well-known ones such as /wp-login.php, in place of those "
           "so far; * stands for any characters. Repeatable",
           "/PATH");
  add_switch("--count-well-known-paths,!--exclude-well-known-paths", site_put_.count_well_known_paths,
             "Count views of paths such as /wp-login.php, too");
  add_list("--static-extension", site_put_.static_extensions,
           "Files that are no pages in imported logs, beside the usual ones, in place of those so far; repeatable",
           "EXTENSION");
  add_list(
      "--page-extension", site_put_.page_extensions,
      "Files that are pages in imported logs although they are usually not, such as pdf, in place of those so far; "
      "repeatable",
      "EXTENSION");
}

void Parser::AddAdminCommands() {
  auto* site = app_.add_subcommand("site", "Create, change and list sites");
  site->require_subcommand(1);
  site->footer("Examples:\n  viewcount site put portal --time-zone Asia/Ho_Chi_Minh\n  viewcount site list");
  auto* put = Add(*site, "put", "Create a site, or change its settings: those not given stay as they are",
                  "  viewcount site put portal\n"
                  "  viewcount site put portal --time-zone Asia/Ho_Chi_Minh --origin https://news.example.org\n"
                  "  viewcount site put portal --cool-down 30m --exclude 192.0.2.0/24 --exclude 2001:db8::7\n"
                  "  viewcount site put portal --add-article-parameter MaTin --fold-case --strip-slash\n"
                  "  viewcount site put portal --bot-agent '^internal-monitor/' --person-agent 'PortalApp/'\n"
                  "  viewcount site put portal --reset --time-zone Asia/Ho_Chi_Minh",
                  site_put_);
  put->add_option("NAME", site_put_.name, "1 to 64 of a-z, A-Z, 0-9, '-', '_', '.'")->required();
  put->add_option("--time-zone", site_put_.time_zone, "Whose midnights divide its days; at first UTC")
      ->type_name("ZONE");
  AddList(
      *put, "--origin", site_put_.origins,
      "Whose pages may show counts and send views in a browser, in place of those so far; repeatable, at first any, "
      "which '' brings back",
      "https://HOST[:PORT]");
  put->add_option_function<std::string>(
         "--cool-down", [this](const std::string& text) { site_put_.cool_down = CoolDownOf(text); },
         "Count the same viewer once per article in so long: 90s, 30m, 12h, 7d; at first 0s, where each view counts")
      ->type_name("DURATION");
  AddList(*put, "--exclude", site_put_.excluded,
          "Addresses whose views over HTTP do not count, such as your own people's, in place of those so far; "
          "repeatable, and '' removes them",
          "ADDRESS[/BITS]");
  put->add_flag_function(
      "--announced-only,!--any-article", [this](int64_t times) { site_put_.announced_only = times > 0; },
      "Count browsers' views only of articles that were announced; see viewcount announce");
  put->add_flag_function(
      "--session-viewers,!--no-session-viewers", [this](int64_t times) { site_put_.session_viewers = times > 0; },
      "Let pages distinguish viewers with one address and equal browsers by a number of each visit: "
      "data-viewer=session");
  put->add_option_function<std::string>(
         "--hours-kept", [this](const std::string& text) { site_put_.hours_kept = DaysOf("--hours-kept", text); },
         "How long the views of each hour are kept: 8d to 400d; at first 8d. An hour of an article takes 80 to 110 "
         "bytes in Redis")
      ->type_name("DAYS");
  put->add_option_function<std::string>(
         "--days-kept", [this](const std::string& text) { site_put_.days_kept = DaysOf("--days-kept", text); },
         "How long the views of each day are kept, 62d or more; at first for ever, which 0d brings back. Older "
         "days are removed for good. A day of an article takes 80 to 240 bytes in Redis")
      ->type_name("DAYS");
  put->add_flag_function(
      "--public-reads,!--no-public-reads", [this](int64_t times) { site_put_.public_reads = times > 0; },
      "Show the site's dashboard at the public address, to everybody");
  put->add_flag_function(
      "--page-announcements,!--no-page-announcements",
      [this](int64_t times) { site_put_.page_announcements = times > 0; },
      "Let the site's pages announce themselves with their titles and sections; needs --origin");
  AddList(
      *put, "--bot-agent", site_put_.bot_agents,
      "A regular expression (RE2, in any case) of user agents that are bots', beside the known ones, in place of those "
      "so far; repeatable, and '' removes them",
      "REGEX");
  AddList(
      *put, "--person-agent", site_put_.person_agents,
      "A regular expression of user agents that are people's although they look like bots', such as your own app's, in "
      "place of those so far; repeatable, and '' removes them",
      "REGEX");
  AddRuleOptions(*put);
  put->add_flag("--reset", site_put_.reset, "Give the settings that are not named here their defaults");
  Add(*site, "list", "List all sites", "  viewcount site list", site_list_);
  auto* announce =
      Add(app_, "announce",
          "Tell the service of articles, so that it knows them before anybody views them\n\n"
          "An announcement replaces earlier ones of its article entirely, so announce from one source. Among the\n"
          "sitemaps and feeds of one call, an entry without a title replaces none with a title.",
          "  viewcount announce news/3933 --title \"Rain tomorrow\" --section weather --author \"An Nguyen\"\n"
          "  viewcount announce news/3933 news/3934 news/3935\n"
          "  viewcount announce --sitemap https://news.example.org/sitemap_index.xml --dry-run\n"
          "  viewcount announce --feed https://news.example.org/sport.rss --section sport --categories tags\n"
          "  zcat sitemap.xml.gz | viewcount announce --sitemap -",
          announce_);
  AddAnnounceOptions(*announce, announce_);
  Add(app_, "flush", "Write all that is acknowledged to Redis, and wait for it",
      "  viewcount flush\n  viewcount flush --timeout 60", flush_);
  Add(app_, "status", "Show the state of the service", "  viewcount status\n  viewcount status --json", status_);
  auto* audit =
      Add(app_, "audit",
          "Compare all that must add up: views received and counted, journal and Redis; exit 1 on a difference",
          "  viewcount audit\n  viewcount audit --timeout 600 --json\n"
          "  viewcount audit --repair --why \"Redis refused EXPIRE until 3 May\"",
          audit_);
  audit->add_flag("--repair", audit_.repair,
                  "Book the differences as an adjustment, and make wrong rankings again; counts stay as they are");
  audit->add_option("--why", audit_.why, "A sentence, kept with the repair")->needs("--repair");
}

void Parser::AddAlerts() {
  auto* alert = app_.add_subcommand("alert", "Have messages sent to a webhook when views are unusual, or regularly");
  alert->require_subcommand(1);
  alert->footer(std::string("Examples:\n") + kAlertPutExamples);
  AddAlertPutOptions(
      *Add(*alert, "put", "Create an alert or a digest, or replace its settings", kAlertPutExamples, alert_put_),
      alert_put_);
  Add(*alert, "list", "List the alerts of the site, or of all sites without --site", "  viewcount alert list",
      alert_list_);
  AddAlertName(*Add(*alert, "delete", "Delete an alert", "  viewcount alert delete quiet", alert_delete_),
               alert_delete_.name);
  AddAlertName(*Add(*alert, "test", "Send a message to an alert's webhook, marked as a test; exit 1 if it is not taken",
                    "  viewcount alert test quiet", alert_test_),
               alert_test_.name);
}

void Parser::AddJournal() {
  auto* journal = app_.add_subcommand("journal", "Look after the journals of a viewcountd that is stopped");
  journal->require_subcommand(1);
  journal->footer("Examples:\n  viewcount journal verify /var/lib/viewcount");
  constexpr const char* kDirectory = "The service's --data-dir, or the folder of one lane in it";
  auto* verify = Add(*journal, "verify", "Read all journals and name what is broken; changes nothing",
                     "  viewcount journal verify /var/lib/viewcount", verify_);
  verify->add_option("DIR", verify_.directory, kDirectory)->required();
  auto* repair =
      Add(*journal, "repair",
          "Take out what is broken, so that the service starts again\n\n"
          "Keeps every whole record; says how much is lost. Copy the directory first if you want to examine\n"
          "what was broken later.",
          "  viewcount journal repair /var/lib/viewcount", repair_);
  repair->add_option("DIR", repair_.directory, kDirectory)->required();
  auto* drain = Add(*journal, "drain",
                    "Bring all that the journals hold into Redis, then remove them\n\n"
                    "For the disk of a machine that will not come back. Safe to break off and to repeat.",
                    "  viewcount journal drain /mnt/old/viewcount --redis redis://10.0.0.7:6379/0\n"
                    "  viewcount journal drain /srv/copy --redis redis://10.0.0.7:6379/0 --as-new",
                    drain_);
  drain->add_option("DIR", drain_.directory, "The service's --data-dir")->required();
  drain->add_option("--redis", drain_.redis, "The Redis that the service used")->type_name("URL")->required();
  drain->add_option("--redis-waive", drain_.redis_waive, "As for viewcountd: aof-rewrite, persistence. Repeatable")
      ->type_name("CHECK");
  drain->add_flag("--as-new", drain_.as_new,
                  "For a copied directory whose service ended with exit code 4: what this copy took itself");
}

void Parser::AddAdjustmentCommands() {
  auto* set = Add(app_, "set", "Set the views of an article, or of the whole site, to a number",
                  "  viewcount set news/3933 5000 --why \"the old counter's number\"\n"
                  "  viewcount set --site-total 37456821 --site-visits 9400000 --why \"before the move\"",
                  set_);
  auto* article = set->add_option("ARTICLE", set_.article, "Article ID");
  auto* views = set->add_option("VIEWS", set_.views, "The views it is to have")->needs(article);
  article->needs(views);
  auto* total = set->add_option("--site-total", set_.site_total, "The views that the whole site is to have")
                    ->type_name("VIEWS")
                    ->excludes(article)
                    ->excludes(views);
  auto* visits = set->add_option("--site-visits", set_.site_visits, "The visits that the site is to have")
                     ->type_name("VISITS")
                     ->excludes(article)
                     ->excludes(views);
  AddAddressFlag(*set, set_.by_address);
  set->add_option("--why", set_.why, "A sentence, kept with the change");
  set->parse_complete_callback([article, total, visits] {
    if (article->empty() && total->empty() && visits->empty())
      throw CLI::RequiredError("ARTICLE VIEWS, --site-total VIEWS, or --site-visits VISITS,");
  });

  auto* merge = Add(app_, "merge", "Count an article for another from now on, and move what it has there",
                    "  viewcount merge news/3933-old news/3933 --why \"the page has a new address\"", merge_);
  merge->add_option("FROM", merge_.from, "The article that becomes an alias")->required();
  merge->add_option("INTO", merge_.into, "The article that takes its counts")->required();
  AddAddressFlag(*merge, merge_.by_address);
  merge->add_option("--why", merge_.why, "A sentence, kept with the change");

  auto* remove = Add(app_, "delete", "Delete articles: all their counts become zero",
                     "  viewcount delete news/3933 --why \"published by mistake\"", delete_);
  remove->add_option("ARTICLE", delete_.articles, "Article IDs")->required()->expected(1, limits::kAdjustedArticlesMax);
  AddAddressFlag(*remove, delete_.by_address);
  remove->add_option("--why", delete_.why, "A sentence, kept with the change");

  auto* adjustments = Add(app_, "adjustments", "List what administrators changed, newest first",
                          "  viewcount adjustments\n  viewcount adjustments --limit 1000 --json", adjustments_);
  adjustments->add_option("--limit", adjustments_.limit, "How many")
      ->check(CLI::Range(1U, limits::kAdjustmentsPageMax))
      ->capture_default_str();

  auto* undo = Add(app_, "undo", "Take an adjustment back; an undo can be undone too",
                   "  viewcount adjustments\n  viewcount undo 00112233445566778899aabbccddeeff", undo_);
  undo->add_option("ID", undo_.adjustment_id, "As viewcount adjustments shows it")->required();
  undo->add_option("--why", undo_.why, "A sentence, kept with the change");
}

void Parser::AddImportCounts(CLI::App& import) {
  auto* counts = Add(
      import, "counts",
      "Import counts: a snapshot of another viewcount, or CSV or JSON lines with an article in each\n\n"
      "The counts are added to those that the site has. Importing the same rows again changes nothing, and an import\n"
      "that was broken off goes on where it ended. The whole file is checked first: a bad line or a snapshot that is\n"
      "cut off imports nothing. Columns are article_id, views, and perhaps day (2026-11-22) and bot_views; views of a\n"
      "day are added to those of all time as well. Estimated viewers are not imported.",
      "  viewcount --site portal import counts snapshot.jsonl\n"
      "  viewcount import counts old-counter.csv --all-time --dry-run\n"
      "  viewcount import counts monday.csv --day 2026-11-23 --why \"from the old counter\"\n"
      "  ssh web1 viewcount export --full | viewcount import counts -\n"
      "  viewcount import counts monday.csv --day 2026-11-23 --undo",
      import_counts_);
  counts->add_option("FILE", import_counts_.file, "The file, plain or .gz, .bz2, .xz, .zst; - is standard input")
      ->required();
  auto* day = counts->add_option("--day", import_counts_.day, "The day of rows without a day, in the site's time zone")
                  ->type_name("YYYY-MM-DD");
  counts->add_flag("--all-time", import_counts_.all_time, "Rows without a day are of all time")->excludes(day);
  counts
      ->add_option("--id", import_counts_.id,
                   "A name for the import. The same name counts once. Without it the same rows count once")
      ->type_name("NAME");
  counts->add_flag("--undo", import_counts_.undo, "Take the import of this file back");
  counts->add_flag("--dry-run", import_counts_.dry_run, "Say what would be imported, and change nothing");
  counts->add_flag("--only-counts", import_counts_.only_counts,
                   "Leave out the merged and announced articles of a snapshot");
  counts->add_flag("--any-time-zone", import_counts_.any_time_zone,
                   "Take a snapshot of a site with another time zone; its days are kept as they are");
  counts->add_option("--why", import_counts_.why, "A sentence, kept with the import");
  counts->add_option("--retry-for", import_counts_.retry_for, "How long to try again if the service is away")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
  counts->parse_complete_callback([this] {
    const std::string& text = import_counts_.day;
    if (!text.empty() && !ParseCountsDay(text)) {
      throw CLI::ValidationError("--day", fmt::format("must be a day such as 2026-11-23, not \"{}\"", text));
    }
  });
}

void Parser::AddAnnotationCommands() {
  auto* annotation = app_.add_subcommand("annotation", "Put notes at moments, which the dashboard's charts show");
  annotation->require_subcommand(1);
  annotation->footer("Examples:\n  viewcount annotation list");
  AddAnnotationPutOptions(
      *Add(*annotation, "put", "Put a note at a moment",
           "  viewcount annotation put \"The new home page\" --time 2026-11-30T07:00:00+07:00", annotation_put_),
      annotation_put_);
  Add(*annotation, "list", "List the site's notes", "  viewcount annotation list", annotation_list_);
  AddAnnotationDeleteOptions(*Add(*annotation, "delete", "Delete a note",
                                  "  viewcount annotation delete 0123456789abcdef0123456789abcdef", annotation_delete_),
                             annotation_delete_);
}

void Parser::AddImport() {
  auto* import = app_.add_subcommand("import", "Import views of the past");
  import->require_subcommand(1);
  import->footer(
      "Examples:\n  viewcount import access-log /var/log/nginx/access.log\n"
      "  viewcount import goatcounter goatcounter-export.csv.gz\n"
      "  viewcount import counts snapshot.jsonl");
  AddImportCounts(*import);
  auto* log = Add(*import, "access-log",
                  "Import web servers' access logs\n\n"
                  "Counts every GET of a page answered with 2xx or 304. The site's rule says which address is which\n"
                  "article; see viewcount site put --help. Pictures, downloads and the like are no pages. Importing a\n"
                  "log again, or when it has grown or was renamed or compressed, counts only its new lines.",
                  "  viewcount import access-log access.log.2.gz access.log.1 access.log\n"
                  "  ssh web1 cat /var/log/apache2/access.log | viewcount import access-log -\n"
                  "  viewcount import access-log --follow /var/log/nginx/access.log\n"
                  "  viewcount import access-log --host www.example.org other_vhosts_access.log\n"
                  "  viewcount import access-log --client-field last access.log\n"
                  "  viewcount import access-log --client-field X-Forwarded-For u_ex261120.log\n"
                  "  viewcount import access-log --format '$remote_addr [$time_local] \"$request\" $status' access.log",
                  import_);
  log->add_option("FILE", import_.files, "Logs, plain or .gz, .bz2, .xz, .zst; - is standard input")->required();
  log->add_option("--format", import_.format.format,
                  "auto, combined, common, vhost, iis, caddy, nginx-json, cloudfront, alb, or the log_format string of "
                  "nginx; auto finds it in the first lines")
      ->type_name("FORMAT")
      ->capture_default_str();
  log->add_option("--client-field", import_.format.client_field,
                  "The field with the visitor's address, if a proxy stands before the server: last for the last field "
                  "of a line, a JSON key, a column, or a variable. Of several addresses the leftmost is taken, so name "
                  "only a field that your own proxy sets")
      ->type_name("NAME");
  log->add_option("--host", import_.hosts, "Count lines of this virtual host only; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  log->add_flag("--follow", import_.follow,
                "Go on with lines as they are written, through rotation, until SIGTERM or Ctrl-C");
  log->add_flag("--strict", import_.strict, "Exit with 3 if there are bad lines; good ones count all the same");
  log->add_option("--retry-for", import_.retry_for, "How long to try again if the service is away")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
  log->parse_complete_callback([this] {
    const auto status = CheckFormatOptions(import_.format);
    if (!status.ok()) throw CLI::ValidationError("--format", std::string(status.message()));
    const bool standard_input = std::find(import_.files.begin(), import_.files.end(), "-") != import_.files.end();
    if (import_.follow && standard_input) throw CLI::ValidationError("--follow", "needs files, not standard input");
  });
  AddForeignImports(
      [this, import](const std::string& name, const std::string& description, const std::string& examples,
                     ImportForeignCommand& options) { return Add(*import, name, description, examples, options); },
      foreign_);
}

}  // namespace

std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, const char* const* argv) {
  return Parser().Parse(argc, argv);
}

}  // namespace viewcount::cli
