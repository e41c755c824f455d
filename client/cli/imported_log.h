// One log that is imported: finds out which of its lines are counted, and sends the others.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/import_batch.h"
#include "client/cli/import_error.h"
#include "client/cli/import_summary.h"
#include "client/cli/import_writers.h"
#include "client/cli/line_parser.h"
#include "client/cli/line_reader.h"

namespace viewcount::cli {

// The options that all logs of an import have in common.
struct ImporterOptions {
  std::string site;
  FormatOptions format;
  LogRules rules;
  // Must outlive the import.
  const BotPatterns* bots = nullptr;
  // Makes the parsers of files of another kind. If it is empty, the files are access logs; `format`, `rules` and `bots`
  // are used for these only.
  MakeFileParser make_parser = {};
  SendRequest send;
  // Called before a batch is sent, and perhaps again before it is sent again. If it returns an error, the batch is not
  // sent, and the import ends with that error. May be empty.
  std::function<absl::Status(const ImportBatch&)> before_send = {};
  // Called for every bad line when its batch is acknowledged, and for damage with line number 0. May be empty.
  std::function<void(const BadLine&)> on_bad_line;
  // Called with a sentence for the user about something unusual that is no error. May be empty.
  std::function<void(const std::string&)> on_warning;
  // Called from time to time, for a progress display. May be empty.
  std::function<void(const ImportCounts&, const ByteSource&)> on_progress;
};

// Imports one log. Not thread-safe. The options and the summary must outlive it.
class ImportedLog {
 public:
  // `name` is used in messages: the path, or `-`.
  ImportedLog(const ImporterOptions& options, ImportSummary& summary, std::string name,
              std::unique_ptr<ByteSource> source);

  // Imports the lines that are there now and were not imported before. A log that grows may be advanced again, as long
  // as its last line was left. Nothing is imported of a log of which no line is understood. It can then be imported
  // with another format.
  //
  // Returns an error if reading fails, if the service refuses a batch, or if the service stays away. The message says
  // up to which line everything is counted, and what to do. The service's details are kept as payloads. ABORTED means
  // that another import of the same log keeps running. The log must not be advanced again after an error.
  absl::Status Advance(UnfinishedLine unfinished);

  const std::string& name() const { return name_; }
  const ByteSource& source() const { return reader_.source(); }
  // The number of lines that were read.
  uint64_t lines_read() const { return lines_read_; }

 private:
  enum class Progress {
    kDone,
    // The log has no line yet by which it could be identified.
    kUnidentified,
    // Another import counted lines meanwhile, so the log must be identified again.
    kChanged,
  };
  // The last milestone before the present line.
  struct Milestone {
    uint64_t number = 0;
    LinesDigest digest = {};
  };

  absl::StatusOr<Progress> Identify(UnfinishedLine unfinished);
  // Returns the parser of the file, and the text that identifies it.
  absl::StatusOr<FileParser> MakeParser(std::string_view head, std::string_view first_line) const;
  // Reads the log as far as the claims reach, and takes the one that fits its lines. Returns false if none does.
  absl::StatusOr<bool> ChooseClaim(const std::vector<LogClaim>& claims);
  absl::StatusOr<bool> ReadForClaims(const std::vector<LogClaim>& claims, std::optional<LogClaim>& fitting);
  // Goes back to the first line if more lines were read than `counted`.
  absl::Status GoBackTo(uint64_t counted);
  // Counts the lines of a log without any line by which it could be identified.
  absl::Status CountComments();

  absl::StatusOr<Progress> ImportLines(UnfinishedLine unfinished);
  // Takes a line whose sequence is given. Returns false if the line is left for another import.
  bool Take(const LogLine& line, uint64_t sequence);
  // Adds the digest of a line that was read. Returns the sequence after it.
  uint64_t HashLine(const LogLine& line);
  AccessLogLine Parse(const LogLine& line);
  // Passes a line that is not imported.
  void Skip(const LogLine& line);
  // Takes note of the row that a line begins or ends.
  void NoteRow(const LogLine& line);
  // Removes the lines of a row without an end from the batch. They are not acknowledged, so the complete file counts
  // the row later.
  void LeaveOpenRow();
  // Sends the batch until all its lines are acknowledged, and leaves it empty.
  absl::StatusOr<Progress> Deliver();
  // Keeps the batch back, and leaves it empty. Its lines are not counted, so that the log can be imported again with
  // the right options.
  void Hold();
  // Sends what was kept back.
  absl::StatusOr<Progress> DeliverHeld();
  absl::Status RecordMilestones();
  // Records the milestones of the first batch again, if the import ended between the two.
  absl::Status RestoreMilestones();
  // Returns the place of lines that are sent next.
  ImportPlace PlaceOf(uint64_t first_line, uint64_t last_line) const;
  static absl::Status MilestoneError(const absl::Status& status, const ImportPlace& place);
  void CountBatch(const client::SendResult& result);
  void CountImportedBefore(uint64_t through);
  // Returns the error with the log's name before its message.
  absl::Status NamedError(const absl::Status& status) const;
  // Returns the error of a question to the service, with what to do.
  absl::Status Unanswered(const absl::Status& status) const;
  void Report(const BadLine& bad) const;

  const ImporterOptions& options_;
  ImportSummary& summary_;
  const std::string name_;
  LineReader reader_;
  const ImportWriters writers_;
  std::unique_ptr<LineParser> parser_;
  ImportBatch batch_;
  bool identified_ = false;
  // The text that identifies the log: its first line, unless its parser has another one.
  std::string identity_;
  uint32_t slot_ = 0;
  LinesHash hash_;
  uint64_t lines_read_ = 0;
  // The last milestone up to lines_read_, and those that are to be recorded before the batch is sent.
  Milestone milestone_;
  std::vector<Milestone> new_milestones_;
  // The first line of the row that goes on in the next line, or 0. With an excerpt of it.
  uint64_t row_begin_ = 0;
  std::string row_excerpt_;
  // True if a line of the log was understood, now or in an earlier import. Nothing is sent before.
  bool understood_ = false;
  // The last lines of the batches that were kept back, and the sequences after them.
  std::vector<std::pair<uint64_t, uint64_t>> held_;
  // The last line that the service has counted, and the writer's sequence after it. The line may not have been read
  // yet.
  uint64_t counted_line_ = 0;
  uint64_t counted_sequence_ = 0;
  // Lines up to this one were counted by an earlier version, under another identity.
  uint64_t old_lines_ = 0;
  // Lines up to this one are part of the summary.
  uint64_t reported_line_ = 0;
};

}  // namespace viewcount::cli
