// Implements the command import access-log.
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/import_report.h"
#include "client/cli/imported_log.h"
#include "client/cli/log_follower.h"
#include "client/cli/progress.h"
#include "client/cli/site_rules.h"
#include "client/cli/stop_request.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The number of bad lines that are shown. Further bad lines are only counted.
constexpr uint64_t kBadLinesShown = 10;
// The pause between two looks at logs that are followed.
constexpr std::chrono::milliseconds kFollowInterval{200};

// One run of the command over all its files. Not thread-safe.
class AccessLogImport {
 public:
  AccessLogImport(Session& session, const ImportAccessLogCommand& command, const v1::Site& site, LogRules rules)
      : site_(site.name()), sender_(session.channel(), OptionsOf(session, command)) {
    options_.site = site_;
    options_.format = command.format;
    options_.rules = std::move(rules);
    options_.bots = &bots_;
    options_.send = [this](const std::string& request) {
      retrying_ = false;
      return sender_.Send(request);
    };
    options_.on_bad_line = [this](const BadLine& bad) { ShowBadLine(bad); };
    options_.on_warning = [this](const std::string& text) { Warn(text); };
    options_.on_progress = [this](const ImportCounts& counts, const ByteSource& source) {
      progress_.Show(file_, counts, source);
    };
  }

  // Imports the lines that a file has now.
  absl::Status Import(const std::string& file) {
    file_ = file;
    auto source = ByteSource::Open(file);
    if (!source.ok()) return source.status();
    ImportedLog log(options_, summary_, file, *std::move(source));
    auto status = log.Advance(UnfinishedLine::kTake);
    progress_.Clear();
    return status;
  }

  // Imports the files' lines as they are written, until SIGINT or SIGTERM.
  absl::Status Follow(const std::vector<std::string>& files) {
    file_ = files.front();
    StopRequest stop([this] { sender_.Cancel(); });
    LogFollower follower(options_, summary_, files);
    do {
      auto status = follower.Poll(std::chrono::steady_clock::now());
      progress_.Clear();
      // A cancelled batch is not acknowledged. The next import finds out whether it is counted.
      if (stop.requested()) return absl::OkStatus();
      if (!status.ok()) return status;
    } while (!stop.WaitFor(kFollowInterval));
    return absl::OkStatus();
  }

  void Report(bool json) {
    const auto& counts = summary_.counts;
    if (counts.bad_lines > kBadLinesShown) {
      PrintError(fmt::format("and {} more bad lines", Grouped(counts.bad_lines - kBadLinesShown)));
    }
    for (const auto& warning : ImportWarnings(summary_)) Warn(warning);
    if (const auto hint = DroppedParametersHint(summary_.dropped(), site_); !hint.empty()) PrintError("hint: " + hint);
    Print(json ? ImportReportJson(summary_, site_) : ImportReportText(summary_));
  }

  const ImportCounts& counts() const { return summary_.counts; }

 private:
  client::SendOptions OptionsOf(const Session& session, const ImportAccessLogCommand& command) {
    client::SendOptions options;
    options.call_timeout = session.options().call_timeout();
    options.batch_timeout = std::chrono::milliseconds(static_cast<int64_t>(command.retry_for * 1000));
    options.on_retry = [this](const absl::Status& error, std::chrono::milliseconds) {
      progress_.Clear();
      if (std::exchange(retrying_, true)) return;
      PrintError(fmt::format("{}: {}; trying again", file_, std::string(error.message())));
    };
    return options;
  }

  void Warn(const std::string& text) {
    progress_.Clear();
    PrintError("warning: " + text);
  }

  void ShowBadLine(const BadLine& bad) {
    if (++bad_lines_seen_ > kBadLinesShown) return;
    progress_.Clear();
    if (bad.number == 0) {
      PrintError(fmt::format("{}: {}; what came before it is counted", file_, bad.problem));
    } else {
      PrintError(fmt::format("{}, line {}: {}: {}", file_, bad.number, bad.problem, bad.excerpt));
    }
  }

  const std::string site_;
  const BotPatterns bots_;
  std::string file_;
  bool retrying_ = false;
  uint64_t bad_lines_seen_ = 0;
  Progress progress_;
  client::BatchSender sender_;
  ImporterOptions options_;
  ImportSummary summary_;
};

}  // namespace

absl::StatusOr<ExitCode> Run(Session& session, const ImportAccessLogCommand& command) {
  // Asks the service before the first line is read, so that a wrong address or site is reported immediately.
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  auto rules = LogRulesOf(*site, command.hosts);
  if (!rules.ok()) return rules.status();
  AccessLogImport import(session, command, *site, *std::move(rules));
  absl::Status status;
  if (command.follow) {
    status = import.Follow(command.files);
  } else {
    for (const auto& file : command.files) {
      if (status = import.Import(file); !status.ok()) break;
    }
  }
  import.Report(session.options().json);
  if (!status.ok()) return status;
  if (NoLineUnderstood(import.counts())) return ExitCode::kNoLineUnderstood;
  return command.strict && import.counts().bad_lines > 0 ? ExitCode::kBadLines : ExitCode::kOk;
}

}  // namespace viewcount::cli
