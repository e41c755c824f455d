// What was asked on the command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/output.h"

namespace viewcount::cli {

// Options of every command.
struct GlobalOptions {
  std::string server = "127.0.0.1:7400";
  // Empty: the only site.
  std::string site;
  bool json = false;
  // In seconds, for each call.
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
};
struct CountCommand {
  std::vector<std::string> articles;
};
struct TopCommand {
  uint32_t limit = 20;
  // Empty: all time. `YYYY-MM-DD` or `today`.
  std::string day;
};
struct StatsCommand {};
struct WatchCommand {
  // None: the site alone.
  std::vector<std::string> articles;
  // Messages after which to end; 0: never.
  uint32_t count = 0;
};
struct SitePutCommand {
  std::string name;
  // What is not given stays as it is.
  std::optional<std::string> time_zone = {};
  std::optional<std::vector<std::string>> origins = {};
  std::optional<std::chrono::seconds> cool_down = {};
  std::optional<std::vector<std::string>> excluded = {};
  std::optional<bool> announced_only = {};
  // What is not given gets its default instead.
  bool reset = false;
};
struct SiteListCommand {};
struct AnnounceCommand {
  std::vector<std::string> articles;
  // Of a single article.
  std::string title;
  std::string url;
  std::string section;
};
struct SetCommand {
  // Empty with `site_total` and `site_visits`.
  std::string article;
  std::optional<uint64_t> views;
  std::optional<uint64_t> site_total;
  std::optional<uint64_t> site_visits;
  std::string why;
};
struct MergeCommand {
  std::string from;
  std::string into;
  std::string why;
};
struct DeleteCommand {
  std::vector<std::string> articles;
  std::string why;
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
  // Books what differs.
  bool repair = false;
  std::string why;
};
// A data directory, or the folder of one lane in it.
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
  bool strict = false;
  // In seconds, for each batch with all its retries.
  double retry_for = 60;
};

using Command = std::variant<RecordCommand, CountCommand, TopCommand, StatsCommand, WatchCommand, SitePutCommand,
                             SiteListCommand, AnnounceCommand, SetCommand, MergeCommand, DeleteCommand,
                             AdjustmentsCommand, UndoCommand, FlushCommand, StatusCommand, AuditCommand,
                             JournalVerifyCommand, JournalRepairCommand, JournalDrainCommand, ImportAccessLogCommand>;

struct CommandLine {
  GlobalOptions global;
  Command command;
};

// The command, or the exit code if there is nothing more to do: help and version are printed, and so is an error.
std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, const char* const* argv);

}  // namespace viewcount::cli
