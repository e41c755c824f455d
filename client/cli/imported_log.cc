#include "client/cli/imported_log.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "client/cli/output.h"

namespace viewcount::cli {
namespace {

// The number of lines between two calls of on_progress while lines are only skipped.
constexpr uint64_t kProgressLines = 16'384;
// How often a log is identified again because another import counts its lines at the same time.
constexpr int kIdentificationsMax = 20;

// The lines of an access log.
class AccessLogLines final : public LineParser {
 public:
  explicit AccessLogLines(std::unique_ptr<AccessLogParser> parser) : parser_(std::move(parser)) {}

  AccessLogLine Parse(std::string_view line) override { return parser_->Parse(line); }
  void Skip(std::string_view line) override { parser_->Skip(line); }
  // The columns that a comment named are named again.
  void Restart() override {}
  std::string_view format() const override { return parser_->format(); }

 private:
  const std::unique_ptr<AccessLogParser> parser_;
};

}  // namespace

ImportedLog::ImportedLog(const ImporterOptions& options, ImportSummary& summary, std::string name,
                         std::unique_ptr<ByteSource> source)
    : options_(options),
      summary_(summary),
      name_(std::move(name)),
      reader_(std::move(source)),
      writers_(options.site, options.send),
      batch_(options.site) {}

absl::Status ImportedLog::Advance(UnfinishedLine unfinished) {
  for (int identifications = 0; identifications < kIdentificationsMax; ++identifications) {
    if (!identified_) {
      const auto progress = Identify(unfinished);
      if (!progress.ok()) return progress.status();
      if (*progress == Progress::kUnidentified) return absl::OkStatus();
    }
    const auto progress = ImportLines(unfinished);
    if (!progress.ok()) return progress.status();
    if (*progress == Progress::kDone) return absl::OkStatus();
    identified_ = false;
    if (auto status = GoBackTo(0); !status.ok()) return status;
  }
  return absl::AbortedError(absl::StrCat("another import of ", name_,
                                         " runs at the same time; import it again when that one has ended, nothing "
                                         "counts twice"));
}

absl::StatusOr<ImportedLog::Progress> ImportedLog::Identify(UnfinishedLine unfinished) {
  const auto head = reader_.Head();
  if (!head.ok()) return head.status();
  const bool whole = unfinished == UnfinishedLine::kTake || head->size() == kHeadBytes;
  const auto first_line = FirstLineOf(*head, whole);
  if (!first_line) {
    if (unfinished == UnfinishedLine::kLeave) return Progress::kUnidentified;
    if (auto status = CountComments(); !status.ok()) return status;
    return Progress::kUnidentified;
  }
  auto made = MakeParser(*head, *first_line);
  if (!made.ok()) return NamedError(made.status());
  parser_ = std::move(made->parser);
  identity_ = std::move(made->identity);
  const std::string beginning(head->substr(0, kOldHeadBytes));
  const auto claims = writers_.ClaimsOf(identity_);
  if (!claims.ok()) return Unanswered(claims.status());
  const auto chosen = ChooseClaim(*claims);
  if (!chosen.ok()) return Unanswered(chosen.status());
  if (!*chosen) {
    slot_ = static_cast<uint32_t>(claims->size());
    counted_line_ = counted_sequence_ = 0;
    if (slot_ > 0 && options_.on_warning) {
      options_.on_warning(absl::StrCat(name_,
                                       " begins with the same line as a log that was imported before, but has "
                                       "other lines; it is imported as another log"));
    }
  }
  if (auto status = GoBackTo(counted_line_); !status.ok()) return status;
  CountImportedBefore(std::min(lines_read_, counted_line_));
  // An earlier version imported at most one log with this beginning. It is taken for the one in the first slot.
  old_lines_ = 0;
  if (slot_ == 0 && !options_.make_parser) {
    const auto old_lines = writers_.OldLines(beginning);
    if (!old_lines.ok()) return Unanswered(old_lines.status());
    old_lines_ = *old_lines;
  }
  if (auto status = RestoreMilestones(); !status.ok()) return Unanswered(status);
  batch_.Begin(LogWriterId(options_.site, identity_, slot_), counted_sequence_);
  held_.clear();
  understood_ = counted_line_ > 0;
  identified_ = true;
  return Progress::kDone;
}

absl::StatusOr<FileParser> ImportedLog::MakeParser(std::string_view head, std::string_view first_line) const {
  if (options_.make_parser) return options_.make_parser(name_, head);
  auto parser = AccessLogParser::Make(options_.format, head, options_.rules, *options_.bots,
                                      SaltOfLog(options_.site, first_line));
  if (!parser.ok()) return parser.status();
  return FileParser{.parser = std::make_unique<AccessLogLines>(*std::move(parser)),
                    .identity = std::string(first_line)};
}

absl::Status ImportedLog::NamedError(const absl::Status& status) const {
  return WithMessage(status, absl::StrCat(name_, ": ", status.message()));
}

absl::Status ImportedLog::Unanswered(const absl::Status& status) const {
  return WithMessage(status, absl::StrCat(name_, ": ", status.message(), "; import it again, nothing counts twice"));
}

absl::StatusOr<bool> ImportedLog::ChooseClaim(const std::vector<LogClaim>& claims) {
  std::optional<LogClaim> fitting;
  const auto at_end = ReadForClaims(claims, fitting);
  if (!at_end.ok()) return at_end.status();
  if (*at_end) {
    // A claim of more lines than the log has: the log may be an older copy of what was imported, or a part of it. The
    // last milestone decides.
    for (const auto& claim : claims) {
      if (claim.lines() <= lines_read_ || milestone_.number == 0) continue;
      if (fitting && fitting->lines() >= milestone_.number) continue;
      const auto copy = writers_.HasMilestone(claim.slot, milestone_.number, milestone_.digest);
      if (!copy.ok()) return copy.status();
      if (*copy) fitting = claim;
    }
  }
  if (!fitting) return false;
  slot_ = fitting->slot;
  counted_line_ = fitting->lines();
  counted_sequence_ = fitting->sequence;
  return true;
}

absl::StatusOr<bool> ImportedLog::ReadForClaims(const std::vector<LogClaim>& claims, std::optional<LogClaim>& fitting) {
  uint64_t lines = 0;
  for (const auto& claim : claims) lines = std::max(lines, claim.lines());
  const auto compare = [&](uint64_t sequence) {
    for (const auto& claim : claims) {
      if (claim.sequence == sequence) fitting = claim;
    }
  };
  new_milestones_.clear();
  LogLine line;
  while (lines_read_ < lines) {
    // An import may have counted the next line when it had no line end yet.
    compare(SequenceAfterUnfinished(lines_read_ + 1, hash_.digest()));
    const auto more = reader_.Next(line, UnfinishedLine::kLeave);
    if (!more.ok()) return more.status();
    if (!*more) return true;
    if (line.number % kProgressLines == 0 && options_.on_progress) {
      options_.on_progress(summary_.counts, reader_.source());
    }
    compare(HashLine(line));
    if (milestone_.number == line.number && line.number <= kBatchLinesMax) new_milestones_.push_back(milestone_);
    Skip(line);
  }
  return false;
}

absl::Status ImportedLog::GoBackTo(uint64_t counted) {
  if (lines_read_ <= counted) return absl::OkStatus();
  if (auto status = reader_.Rewind(); !status.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name_,
                     " begins with the same line as a log that was imported before, and must be read twice; "
                     "write it to a file and import that"));
  }
  parser_->Restart();
  hash_ = LinesHash();
  lines_read_ = 0;
  milestone_ = {};
  row_begin_ = 0;
  return absl::OkStatus();
}

absl::Status ImportedLog::CountComments() {
  LogLine line;
  for (;;) {
    const auto more = reader_.Next(line);
    if (!more.ok()) return more.status();
    if (!*more) break;
    ++lines_read_;
    summary_.CountLine(LineKind::kBlank);
  }
  if (const auto& damage = reader_.source().damage(); !damage.empty()) {
    Report({0, damage, ""});
    ++summary_.counts.bad_lines;
  }
  return absl::OkStatus();
}

uint64_t ImportedLog::HashLine(const LogLine& line) {
  hash_.Add(parser_->IdentityOf(line.text));
  lines_read_ = line.number;
  const auto digest = hash_.digest();
  if (IsMilestone(line.number)) milestone_ = {line.number, digest};
  return SequenceAfter(line.number, digest);
}

absl::StatusOr<ImportedLog::Progress> ImportedLog::ImportLines(UnfinishedLine unfinished) {
  LogLine line;
  for (;;) {
    const auto more = reader_.Next(line, unfinished);
    if (!more.ok()) return more.status();
    if (!*more) break;
    if (line.number % kProgressLines == 0 && options_.on_progress) {
      options_.on_progress(summary_.counts, reader_.source());
    }
    const uint64_t if_unfinished = SequenceAfterUnfinished(line.number, hash_.digest());
    const uint64_t sequence = line.unfinished ? if_unfinished : HashLine(line);
    if (line.number <= counted_line_) {
      // A log that was taken for an older copy of another may have grown in another way.
      const bool fits = line.number < counted_line_ || line.unfinished || sequence == counted_sequence_ ||
                        if_unfinished == counted_sequence_;
      if (!fits) return Progress::kChanged;
      CountImportedBefore(line.number);
      Skip(line);
      continue;
    }
    if (!Take(line, sequence)) break;
    NoteRow(line);
    if (!batch_.full()) continue;
    const auto progress = Deliver();
    if (!progress.ok() || *progress != Progress::kDone) return progress;
    if (options_.on_progress) options_.on_progress(summary_.counts, reader_.source());
  }
  const bool row_is_open = unfinished == UnfinishedLine::kTake && parser_->row_is_open();
  if (row_is_open) LeaveOpenRow();
  const auto progress = Deliver();
  if (!progress.ok() || *progress != Progress::kDone) return progress;
  if (row_is_open) {
    summary_.CountLine(LineKind::kBad);
    Report({row_begin_, "a quote is not closed, so this row and all after it are left out", row_excerpt_});
  }
  if (const auto& damage = reader_.source().damage(); !damage.empty()) {
    Report({0, damage, ""});
    ++summary_.counts.bad_lines;
  }
  return Progress::kDone;
}

void ImportedLog::Skip(const LogLine& line) {
  if (line.too_long) {
    parser_->PassTooLong();
  } else {
    parser_->Skip(line.text);
  }
  NoteRow(line);
}

void ImportedLog::NoteRow(const LogLine& line) {
  if (!parser_->row_is_open()) {
    row_begin_ = 0;
  } else if (row_begin_ == 0) {
    row_begin_ = line.number;
    row_excerpt_ = SafeExcerpt(line.text);
  }
}

void ImportedLog::LeaveOpenRow() {
  while (!batch_.empty() && batch_.last() >= row_begin_) batch_.DropLast();
  std::erase_if(new_milestones_, [this](const Milestone& milestone) { return milestone.number >= row_begin_; });
}

AccessLogLine ImportedLog::Parse(const LogLine& line) {
  if (line.number <= old_lines_) {
    parser_->Skip(line.text);
    return {.kind = LineKind::kImportedBefore};
  }
  if (line.too_long) parser_->PassTooLong();
  if (line.too_long) return {.kind = LineKind::kBad, .problem = "longer than 65,536 bytes"};
  return parser_->Parse(line.text);
}

bool ImportedLog::Take(const LogLine& line, uint64_t sequence) {
  const auto parsed = Parse(line);
  if (line.unfinished && parser_->row_is_open()) {
    // Its row is reported at the end.
    NoteRow(line);
    return false;
  }
  if (line.unfinished && parsed.kind == LineKind::kBad) {
    // The web server may be writing this line at this moment. The line is not acknowledged, so the next import counts
    // it.
    summary_.CountLine(LineKind::kBad);
    Report({line.number, absl::StrCat("unfinished last line: ", parsed.problem), SafeExcerpt(line.text)});
    return false;
  }
  if (IsView(parsed.kind)) summary_.Observe(parsed);
  batch_.Add(line.number, sequence, parsed, line.text);
  if (!line.unfinished && milestone_.number == line.number) new_milestones_.push_back(milestone_);
  return true;
}

absl::Status ImportedLog::RecordMilestones() {
  for (const auto& milestone : new_milestones_) {
    auto status = writers_.RecordMilestone(slot_, milestone.number, milestone.digest);
    if (!status.ok()) return status;
  }
  new_milestones_.clear();
  return absl::OkStatus();
}

absl::Status ImportedLog::RestoreMilestones() {
  std::erase_if(new_milestones_, [this](const Milestone& milestone) { return milestone.number > counted_line_; });
  if (new_milestones_.empty()) return absl::OkStatus();
  const auto& last = new_milestones_.back();
  const auto recorded = writers_.HasMilestone(slot_, last.number, last.digest);
  if (!recorded.ok()) return recorded.status();
  if (!*recorded) return RecordMilestones();
  new_milestones_.clear();
  return absl::OkStatus();
}

void ImportedLog::Hold() {
  const uint64_t held_before = held_.size() < 2 ? counted_line_ : held_[held_.size() - 2].first;
  if (!held_.empty() && batch_.last() - held_before <= kBatchLinesMax) held_.pop_back();
  held_.emplace_back(batch_.last(), batch_.last_sequence());
  CountBatch({});
  batch_.Clear();
}

absl::StatusOr<ImportedLog::Progress> ImportedLog::DeliverHeld() {
  for (const auto& [line, sequence] : std::exchange(held_, {})) {
    const ImportPlace place = PlaceOf(counted_line_ + 1, line);
    const auto result = writers_.SkipTo(LogWriterId(options_.site, identity_, slot_), counted_sequence_, sequence);
    if (!result.status.ok()) return ImportError(result, place);
    if (result.response.last_sequence() != sequence) return Progress::kChanged;
    counted_line_ = line;
    counted_sequence_ = sequence;
    if (auto status = RecordMilestones(); !status.ok()) return MilestoneError(status, place);
  }
  return Progress::kDone;
}

ImportPlace ImportedLog::PlaceOf(uint64_t first_line, uint64_t last_line) const {
  return {.acknowledged_line = counted_line_,
          .first_line = first_line,
          .last_line = last_line,
          .name = name_,
          .foreign = options_.make_parser != nullptr};
}

absl::Status ImportedLog::MilestoneError(const absl::Status& status, const ImportPlace& place) {
  client::SendResult failed;
  failed.status = status;
  return ImportError(failed, place);
}

absl::StatusOr<ImportedLog::Progress> ImportedLog::Deliver() {
  if (!batch_.empty() && !understood_) {
    if (batch_.useless()) {
      Hold();
      return Progress::kDone;
    }
    understood_ = true;
    const auto progress = DeliverHeld();
    if (!progress.ok() || *progress != Progress::kDone) return progress;
  }
  while (!batch_.empty()) {
    const ImportPlace place = PlaceOf(batch_.first(), batch_.last());
    // A milestone comes before its lines are counted. Where a log is known to be counted further, it exists. The first
    // batch comes before its milestones, because only its success proves that the slot is this log's.
    if (counted_sequence_ > 0) {
      if (auto status = RecordMilestones(); !status.ok()) return MilestoneError(status, place);
    }
    if (options_.before_send) {
      if (auto status = options_.before_send(batch_); !status.ok()) return NamedError(status);
    }
    const auto result = options_.send(batch_.Serialise());
    if (!result.status.ok()) return ImportError(result, place);
    const auto& response = result.response;
    // An earlier attempt of this batch may have counted it, but its answer was lost.
    const bool by_earlier_attempt = result.outcome_unknown && response.last_sequence() == batch_.last_sequence();
    if (!response.duplicate() || by_earlier_attempt) {
      counted_line_ = batch_.last();
      counted_sequence_ = batch_.last_sequence();
      CountBatch(result);
      batch_.Clear();
      if (auto status = RecordMilestones(); !status.ok()) {
        return MilestoneError(status, PlaceOf(counted_line_ + 1, counted_line_ + 1));
      }
      return Progress::kDone;
    }
    const uint64_t first = batch_.first();
    const uint64_t dropped = batch_.DropThrough(response.last_sequence());
    if (dropped == 0) return Progress::kChanged;
    counted_line_ = first + dropped - 1;
    counted_sequence_ = response.last_sequence();
    CountImportedBefore(counted_line_);
  }
  return Progress::kDone;
}

void ImportedLog::CountBatch(const client::SendResult& result) {
  if (!parser_->format().empty()) summary_.formats.emplace(parser_->format());
  auto& counts = summary_.counts;
  uint64_t people = 0, bots = 0;
  for (const auto& line : batch_.lines()) {
    if (IsView(line.kind)) {
      ++counts.lines;
      (line.kind == LineKind::kView ? people : bots) += line.views;
    } else {
      summary_.CountLine(line.kind);
    }
  }
  counts.bot_views += bots;
  if (result.response.duplicate()) {
    counts.views += people;
    counts.unconfirmed_views += people;
  } else {
    // Views of bots always count, so those that are missing are views of people within the cool-down.
    const uint64_t accepted = std::min(result.response.accepted_views(), people + bots);
    const uint64_t cool_down = std::min(people + bots - accepted, people);
    counts.views += people - cool_down;
    counts.cool_down_lines += cool_down;
  }
  for (const auto& view : batch_.views()) summary_.AddArticle(view.article_id());
  for (const auto& bad : batch_.bad_lines()) Report(bad);
  reported_line_ = batch_.last();
}

void ImportedLog::CountImportedBefore(uint64_t through) {
  for (; reported_line_ < through; ++reported_line_) summary_.CountLine(LineKind::kImportedBefore);
}

void ImportedLog::Report(const BadLine& bad) const {
  if (options_.on_bad_line) options_.on_bad_line(bad);
}

}  // namespace viewcount::cli
