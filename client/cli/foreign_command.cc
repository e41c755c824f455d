// Implements the commands import goatcounter, import plausible and import wikimedia.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/foreign_format.h"
#include "client/cli/import_report.h"
#include "client/cli/imported_log.h"
#include "client/cli/imported_times.h"
#include "client/cli/progress.h"
#include "client/cli/site_days.h"
#include "client/cli/site_rules.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The number of bad lines that are shown. Further bad lines are only counted.
constexpr uint64_t kBadRowsShown = 10;

// Answers batches as if they were counted, and remembers their writers. Questions about other writers are passed on,
// because they change nothing. Not thread-safe.
class DryRun {
 public:
  explicit DryRun(SendRequest send) : send_(std::move(send)) {}

  client::SendResult Send(const std::string& bytes) {
    v1::RecordViewsRequest request;
    client::SendResult result;
    if (!request.ParseFromString(bytes)) {
      result.status = absl::InternalError("a batch cannot be read again");
      return result;
    }
    const auto known = last_sequences_.find(request.writer_id());
    if (request.sequence() == kQuestionSequence) {
      if (known == last_sequences_.end()) return send_(bytes);
      result.status = absl::FailedPreconditionError("the question of a dry run");
      result.details.reason = "SEQUENCE_GAP";
      result.details.metadata["expected_sequence"] = std::to_string(known->second + 1);
      return result;
    }
    const uint64_t last = request.sequence() + std::max(request.sequence_span(), 1U) - 1;
    if (known != last_sequences_.end() && known->second >= last) {
      result.response.set_duplicate(true);
      result.response.set_last_sequence(known->second);
      return result;
    }
    last_sequences_[request.writer_id()] = last;
    uint64_t views = 0;
    for (const auto& view : request.views()) views += std::max(view.count(), 1U);
    result.response.set_accepted_views(views);
    result.response.set_last_sequence(last);
    return result;
  }

 private:
  const SendRequest send_;
  // By the writers of all batches so far, about 50 for each file.
  std::map<std::string, uint64_t> last_sequences_;
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
    if (dry_run_) {
      options_.send = [dry = std::make_shared<DryRun>(options_.send)](const std::string& bytes) {
        return dry->Send(bytes);
      };
    }
    options_.before_send = [times = std::make_shared<ImportedTimes>(command.format, site_, std::move(days),
                                                                    command.overlapping, options_.send)](
                               const ImportBatch& batch) { return times->Claim(batch); };
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
    for (const auto& warning : ImportWarnings(summary_, ImportedFiles::kForeign)) WarnOf(warning);
    if (const auto hint = DroppedParametersHint(summary_.dropped(), site_); !hint.empty()) PrintError("hint: " + hint);
    if (dry_run_) PrintError("dry run: nothing was counted, and this is what would be");
    Print(json ? ImportReportJson(summary_, site_, ImportedFiles::kForeign) : ImportReportText(summary_));
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
  auto rules = LogRulesOf(*site, {});
  if (!rules.ok()) return rules.status();
  auto days = DayZonesOf(*site);
  if (!days.ok()) return days.status();
  ForeignImport import(session, command, site->name(), *days,
                       {.article_rule = std::move(rules->article_rule),
                        .days = *days,
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
