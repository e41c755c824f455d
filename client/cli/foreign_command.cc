// Implements the commands import goatcounter, import plausible and import wikimedia.
#include <absl/time/civil_time.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/foreign_format.h"
#include "client/cli/import_report.h"
#include "client/cli/imported_log.h"
#include "client/cli/progress.h"
#include "client/cli/site_days.h"
#include "client/cli/site_rules.h"
#include "service/base/text.h"
#include "service/sites/site.h"

namespace viewcount::cli {
namespace {

// The number of bad lines that are shown. Further bad lines are only counted.
constexpr uint64_t kBadRowsShown = 10;

// Refuses days that were imported from another export of Plausible. Such exports have whole days, in any order of
// pages, so the same views would be other lines. Not thread-safe.
class ImportedDays {
 public:
  ImportedDays(const std::string& site, DayZones days, SendRequest send)
      : days_(std::move(days)), writers_(site, std::move(send)) {}

  absl::Status Claim(const ImportBatch& batch) {
    for (const auto& view : batch.views()) {
      const absl::CivilDay day = days_.DayAt(view.event_time_unix_ms());
      if (!claimed_.emplace(batch.writer_id(), day).second) continue;
      const auto own = writers_.ClaimDay("plausible", DayNumber(day), batch.writer_id());
      if (!own.ok()) return own.status();
      if (*own) continue;
      return absl::FailedPreconditionError(
          fmt::format("{} was imported from another export, so its views would count twice; remove its rows, or import "
                      "with --overlapping if they are other views; rows before them may be counted, once",
                      absl::FormatCivilTime(day)));
    }
    return absl::OkStatus();
  }

 private:
  const DayZones days_;
  const ImportWriters writers_;
  // The writers of files, with days that are theirs.
  std::set<std::pair<std::string, absl::CivilDay>> claimed_;
};

// Answers a batch as if it was counted. Questions about writers are passed on, because they change nothing.
class DryRun {
 public:
  explicit DryRun(SendRequest send) : send_(std::move(send)) {}

  client::SendResult Send(const std::string& bytes) const {
    v1::RecordViewsRequest request;
    client::SendResult result;
    if (!request.ParseFromString(bytes)) {
      result.status = absl::InternalError("a batch cannot be read again");
      return result;
    }
    if (request.sequence() == kQuestionSequence) return send_(bytes);
    uint64_t views = 0;
    for (const auto& view : request.views()) views += std::max(view.count(), 1U);
    result.response.set_accepted_views(views);
    result.response.set_last_sequence(request.sequence() + std::max(request.sequence_span(), 1U) - 1);
    return result;
  }

 private:
  const SendRequest send_;
};

// One run of a command over all its files. Not thread-safe.
class ForeignImport {
 public:
  ForeignImport(Session& session, const ImportForeignCommand& command, std::string site, DayZones days,
                ForeignRules rules)
      : site_(std::move(site)), dry_run_(command.dry_run), sender_(session.channel(), OptionsOf(session, command)) {
    options_.site = site_;
    options_.make_parser = [this, make = ParserOf(command.format, std::move(rules))](const std::string& name,
                                                                                     std::string_view head) {
      auto parser = make(name, head);
      refused_ = !parser.ok();
      return parser;
    };
    options_.send = [this](const std::string& request) {
      retrying_ = false;
      return sender_.Send(request);
    };
    if (dry_run_) options_.send = [dry = DryRun(options_.send)](const std::string& bytes) { return dry.Send(bytes); };
    if (command.format == ForeignFormat::kPlausible && !command.overlapping) {
      options_.before_send = [days = std::make_shared<ImportedDays>(site_, std::move(days), options_.send)](
                                 const ImportBatch& batch) { return days->Claim(batch); };
    }
    options_.on_bad_line = [this](const BadLine& bad) { ShowBadRow(bad); };
    options_.on_warning = [this](const std::string& text) { WarnOf(text); };
    options_.on_progress = [this](const ImportCounts& counts, const ByteSource& source) {
      progress_.Show(file_, counts, source);
    };
  }

  absl::Status Import(const std::string& file) {
    file_ = file;
    auto source = ByteSource::Open(file);
    if (!source.ok()) return source.status();
    ImportedLog rows(options_, summary_, file, *std::move(source));
    auto status = rows.Advance(UnfinishedLine::kTake);
    progress_.Clear();
    return status;
  }

  void Report(bool json) {
    const auto& counts = summary_.counts;
    if (counts.bad_lines > kBadRowsShown) {
      PrintError(fmt::format("and {} more bad lines", Grouped(counts.bad_lines - kBadRowsShown)));
    }
    for (const auto& warning : ImportWarnings(summary_)) WarnOf(warning);
    if (const auto hint = DroppedParametersHint(summary_.dropped(), site_); !hint.empty()) PrintError("hint: " + hint);
    if (dry_run_) PrintError("dry run: nothing was counted, and this is what would be");
    Print(json ? ImportReportJson(summary_, site_) : ImportReportText(summary_));
  }

  const ImportCounts& counts() const { return summary_.counts; }
  // Returns whether the last file was not understood.
  bool refused() const { return refused_; }

 private:
  client::SendOptions OptionsOf(const Session& session, const ImportForeignCommand& command) {
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

  void WarnOf(const std::string& text) {
    progress_.Clear();
    PrintError("warning: " + text);
  }

  void ShowBadRow(const BadLine& bad) {
    if (++bad_rows_seen_ > kBadRowsShown) return;
    progress_.Clear();
    if (bad.number == 0) {
      PrintError(fmt::format("{}: {}; what came before it is counted", file_, bad.problem));
    } else {
      PrintError(fmt::format("{}, line {}: {}: {}", file_, bad.number, bad.problem, bad.excerpt));
    }
  }

  const std::string site_;
  const bool dry_run_;
  std::string file_;
  bool retrying_ = false;
  bool refused_ = false;
  uint64_t bad_rows_seen_ = 0;
  Progress progress_;
  client::BatchSender sender_;
  ImporterOptions options_;
  ImportSummary summary_;
};

}  // namespace

absl::StatusOr<ExitCode> Run(Session& session, const ImportForeignCommand& command) {
  // Asks the service before the first line is read, so that a wrong address or site is reported immediately.
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  auto rules = LogRulesOf(*site, command.hosts);
  if (!rules.ok()) return rules.status();
  auto days = DayZonesOf(*site);
  if (!days.ok()) return days.status();
  ForeignImport import(session, command, site->name(), *days,
                       {.article_rule = std::move(rules->article_rule),
                        .days = *days,
                        .hosts = std::move(rules->hosts),
                        .domains = command.domains,
                        .prefix = command.prefix});
  absl::Status status;
  for (const auto& file : command.files) {
    if (status = import.Import(file); !status.ok()) break;
  }
  import.Report(session.options().json);
  if (import.refused()) {
    PrintError(std::string(status.message()));
    return ExitCode::kNoLineUnderstood;
  }
  if (!status.ok()) return status;
  if (NoLineUnderstood(import.counts())) return ExitCode::kNoLineUnderstood;
  return command.strict && import.counts().bad_lines > 0 ? ExitCode::kBadLines : ExitCode::kOk;
}

}  // namespace viewcount::cli
