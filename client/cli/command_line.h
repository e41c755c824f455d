// What was asked on the command line.
#pragma once

#include <chrono>
#include <cstdint>
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
struct SitePutCommand {
  std::string name;
  std::string time_zone;
};
struct SiteListCommand {};
struct FlushCommand {};
struct StatusCommand {};
struct ImportAccessLogCommand {
  std::vector<std::string> files;
  bool strict = false;
  // In seconds, for each batch with all its retries.
  double retry_for = 60;
};

using Command = std::variant<RecordCommand, CountCommand, TopCommand, SitePutCommand, SiteListCommand, FlushCommand,
                             StatusCommand, ImportAccessLogCommand>;

struct CommandLine {
  GlobalOptions global;
  Command command;
};

// The command, or the exit code if there is nothing more to do: help and version are printed, and so is an error.
std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, const char* const* argv);

}  // namespace viewcount::cli
