// The parsed command line: the global options and one command with its options. All types here are plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/alert_options.h"
#include "client/cli/annotation_options.h"
#include "client/cli/announce_options.h"
#include "client/cli/foreign_options.h"
#include "client/cli/list_options.h"
#include "client/cli/log_format.h"
#include "client/cli/output.h"
#include "client/cli/report_options.h"
#include "client/cli/window_options.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount::cli {

// The options that every command accepts.
struct GlobalOptions {
  std::string server = "127.0.0.1:7400";
  // The site's name. Empty selects the only site.
  std::string site;
  bool json = false;
  // The time-out of each call, in seconds.
  double timeout = 10;

  std::chrono::milliseconds call_timeout() const {
    return std::chrono::milliseconds(static_cast<int64_t>(timeout * 1000));
  }
};

struct RecordCommand {
  std::vector<std::string> articles;
  uint32_t count = 1;
  uint64_t viewer = 0;
  bool bot = false;
  // True if `articles` are addresses of pages.
  bool by_address = false;
};
struct CountCommand {
  std::vector<std::string> articles;
  // True if `articles` are addresses of pages.
  bool by_address = false;
};
struct TopCommand {
  uint32_t limit = 20;
  // Without a window all time.
  WindowOptions window = {};
  // True to read all articles if the list would not be exact otherwise.
  bool exact = false;
  ListRestriction only = {};
  // True to show the ranks of the window before.
  bool previous = false;
  // True to show each article's hours or days.
  bool spark = false;
  bool csv = false;
};
struct StatsCommand {};
struct WatchCommand {
  // The articles to watch. If there are none, only the site's views are watched.
  std::vector<std::string> articles;
  // The number of messages after which the command ends. 0 means that it never ends.
  uint32_t count = 0;
  // True if `articles` are addresses of pages.
  bool by_address = false;
};
// The points that a series is compared with: as many before it, or those of a year before.
enum class SeriesCompare { kNone, kBefore, kYear };
struct SeriesCommand {
  // Empty for the whole site, unless there is a label. At most one of these is given.
  std::string article;
  std::string section = {};
  std::string author = {};
  std::string tag = {};
  bool by_address = false;
  SeriesCompare compare = SeriesCompare::kNone;
  WindowOptions window = {.last = "30d"};
  v1::SeriesStep step = v1::SERIES_STEP_DAY;
  bool csv = false;
};
// The form of an exported row.
enum class ExportFormat { kCsv, kJsonLines };
struct ExportCommand {
  ExportFormat format = ExportFormat::kCsv;
  // Without a window all time.
  WindowOptions window = {};
  // True for a snapshot, which `import counts` reads.
  bool full = false;
};
struct NormalizeCommand {
  std::string site;
  // True if the IDs are canonical addresses, whose queries are kept.
  bool canonical = false;
  // False to only show what would be moved.
  bool apply = false;
  // True to move the counts of articles that differ in a parameter which the rule drops.
  bool join_parameters = false;
  std::string why = "the site's present rule for addresses";
};
struct SitePutCommand {
  std::string name;
  // Settings without a value stay as they are.
  std::optional<std::string> time_zone = {};
  std::optional<std::vector<std::string>> origins = {};
  std::optional<std::chrono::seconds> cool_down = {};
  std::optional<std::vector<std::string>> excluded = {};
  std::optional<bool> announced_only = {};
  std::optional<bool> session_viewers = {};
  std::optional<std::chrono::hours> hours_kept = {};
  // 0 keeps days for ever.
  std::optional<std::chrono::hours> days_kept = {};
  std::optional<bool> public_reads = {};
  std::optional<bool> page_announcements = {};
  std::optional<std::vector<std::string>> bot_agents = {};
  std::optional<std::vector<std::string>> person_agents = {};
  // The rule for addresses.
  std::optional<std::vector<std::string>> article_parameters = {};
  // Parameters beside those so far.
  std::vector<std::string> added_article_parameters = {};
  std::optional<bool> drop_query = {};
  std::optional<bool> fold_case = {};
  std::optional<bool> strip_slash = {};
  std::optional<std::vector<std::string>> index_names = {};
  std::optional<std::vector<std::string>> excluded_paths = {};
  std::optional<bool> count_well_known_paths = {};
  std::optional<std::vector<std::string>> static_extensions = {};
  std::optional<std::vector<std::string>> page_extensions = {};
  // Gives every setting without a value its default instead.
  bool reset = false;
};
struct SiteListCommand {};
struct SetCommand {
  // Empty if `site_total` or `site_visits` is given.
  std::string article;
  std::optional<uint64_t> views;
  std::optional<uint64_t> site_total;
  std::optional<uint64_t> site_visits;
  std::string why;
  // True if `article` is the address of a page.
  bool by_address = false;
};
struct MergeCommand {
  std::string from;
  std::string into;
  std::string why;
  // True if `from` and `into` are addresses of pages.
  bool by_address = false;
};
struct DeleteCommand {
  std::vector<std::string> articles;
  std::string why;
  // True if `articles` are addresses of pages.
  bool by_address = false;
};
struct AdjustmentsCommand {
  uint32_t limit = 20;
};
struct UndoCommand {
  std::string adjustment_id;
  std::string why;
};
struct FlushCommand {};
struct StatusCommand {};
struct AuditCommand {
  // Books the differences as an adjustment.
  bool repair = false;
  std::string why;
};
// The directory is a data directory, or the folder of one lane in it.
struct JournalVerifyCommand {
  std::string directory;
};
struct JournalRepairCommand {
  std::string directory;
};
struct JournalDrainCommand {
  std::string directory;
  std::string redis;
  std::vector<std::string> redis_waive;
  bool as_new = false;
};
struct ImportAccessLogCommand {
  std::vector<std::string> files;
  FormatOptions format = {};
  // Only lines of these virtual hosts are views, if there are any.
  std::vector<std::string> hosts = {};
  // Imports further lines as they are written.
  bool follow = false;
  bool strict = false;
  // The time limit for each batch with all its retries, in seconds.
  double retry_for = 60;
};
struct ImportCountsCommand {
  // A path, or - for standard input.
  std::string file;
  // The day of rows without a day, as YYYY-MM-DD. Empty if there is none.
  std::string day = {};
  // True if rows without a day are of all time.
  bool all_time = false;
  // A name for the import. Without one its rows name it.
  std::string id = {};
  // True to take the import back.
  bool undo = false;
  bool dry_run = false;
  // True to leave out the aliases and announced articles of a snapshot.
  bool only_counts = false;
  bool any_time_zone = false;
  std::string why = {};
  // How long to try again if the service is away, in seconds.
  double retry_for = 60;
};

using Command = std::variant<RecordCommand, CountCommand, TopCommand, TrendingCommand, RisingCommand, NowCommand,
                             StatsCommand, WatchCommand, SeriesCommand, ReportCommand, ExportCommand, NormalizeCommand,
                             SitePutCommand, SiteListCommand, AnnounceCommand, SetCommand, MergeCommand, DeleteCommand,
                             AdjustmentsCommand, UndoCommand, AlertPutCommand, AlertListCommand, AlertDeleteCommand,
                             AlertTestCommand, AnnotationPutCommand, AnnotationListCommand, AnnotationDeleteCommand,
                             FlushCommand, StatusCommand, AuditCommand, JournalVerifyCommand, JournalRepairCommand,
                             JournalDrainCommand, ImportAccessLogCommand, ImportForeignCommand, ImportCountsCommand>;

struct CommandLine {
  GlobalOptions global;
  Command command;
};

// Parses the command line. Returns the command, or the exit code if there is nothing more to do. In that case the help,
// the version or the error has been printed.
std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, const char* const* argv);

}  // namespace viewcount::cli
