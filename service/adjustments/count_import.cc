#include "service/adjustments/count_import.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "service/adjustments/adjustment_checks.h"
#include "service/adjustments/changes.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/lane/adjustment.h"
#include "service/model/article_id.h"
#include "service/model/lane_choice.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
// A sequence that no import reaches. A question with it changes nothing.
constexpr uint64_t kQuestion = uint64_t{1} << 62;
constexpr std::chrono::milliseconds kFlushStep{300};

// Returns the writer of an import into a site. Another site's import may have the same ID.
std::string WriterIdOf(const v1::ImportHeader& header, std::string_view kind) {
  const std::string text = fmt::format("viewcount {}\n{}\n{}", kind, header.site(), header.import_id());
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
}

std::string HexOfId(const std::string& id) {
  std::array<uint8_t, limits::kWriterIdBytes> bytes;
  std::memcpy(bytes.data(), id.data(), bytes.size());
  return HexOf(bytes);
}

WriterId WriterOfId(const std::string& id) {
  WriterId writer;
  std::memcpy(writer.bytes.data(), id.data(), writer.bytes.size());
  return writer;
}

absl::Status CheckHeader(const v1::ImportHeader& header) {
  for (const auto& [field, id] :
       {std::pair<std::string_view, const std::string&>("header.import_id", header.import_id()),
        {"header.content_id", header.content_id()}}) {
    if (id.size() != limits::kWriterIdBytes) {
      return InvalidField(field, fmt::format("must have {} bytes, not {}", limits::kWriterIdBytes, id.size()));
    }
  }
  if (header.rows() == 0 || header.rows() > kImportRowsInAllMax) {
    return InvalidField("header.rows", fmt::format("must be 1 to {}, not {}", kImportRowsInAllMax, header.rows()));
  }
  const auto is_text = [](std::string_view text) { return text.size() <= limits::kProvenanceBytesMax && IsUtf8(text); };
  if (header.views() > kImportSumMax || header.views() < -kImportSumMax) {
    return InvalidField("header.views", "must be at most 2^52");
  }
  if (header.who().empty()) return InvalidField("header.who", "must name the person or program");
  for (const auto& [field, text] : {std::pair<std::string_view, const std::string&>("header.who", header.who()),
                                    {"header.why", header.why()},
                                    {"header.source", header.source()}}) {
    if (!is_text(text)) {
      return InvalidField(field, fmt::format("must be at most {} bytes of UTF-8", limits::kProvenanceBytesMax));
    }
  }
  return absl::OkStatus();
}

// Returns a number in the metadata of an error by a lane.
uint64_t NumberOf(const absl::Status& status, std::string_view key) {
  const std::string text = MetadataOf(status, key);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

absl::Status Refused(std::string_view reason, std::string_view message) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, message, reason);
}

// The text of a claim in the store, as KEYS.md has it.
struct ImportClaim {
  std::string lane;
  std::string content;
  uint64_t rows = 0;
  int64_t unix_ms = 0;
};

std::string TextOfClaim(const ImportClaim& claim) {
  return fmt::format("{} {} {} {}", claim.lane, claim.content, claim.rows, claim.unix_ms);
}

std::optional<ImportClaim> ParseClaim(std::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(absl::string_view(text.data(), text.size()), ' ');
  if (words.size() != 4) return std::nullopt;
  ImportClaim claim{.lane = words[0], .content = words[1]};
  const bool numbers = absl::SimpleAtoi(words[2], &claim.rows) && absl::SimpleAtoi(words[3], &claim.unix_ms);
  if (!numbers || claim.unix_ms <= 0 || claim.unix_ms > limits::kEventTimeUnixMsMax) return std::nullopt;
  return claim;
}

absl::Status OfOtherInstance() {
  return Refused("OTHER_INSTANCE",
                 "another instance began this import, or this one lost its journal since. Only the instance that began "
                 "it knows which rows are counted; continue it there");
}

// Returns the window of a count; nothing for an unknown kind.
std::optional<Window> WindowOfCount(const v1::CountedViews& count) {
  switch (count.kind()) {
    case v1::COUNT_KIND_ALL_TIME:
      return Window{Window::Kind::kAllTime, 0};
    case v1::COUNT_KIND_BOTS:
      return Window{Window::Kind::kBots, 0};
    case v1::COUNT_KIND_DAY:
      return Window{Window::Kind::kDay, count.number()};
    case v1::COUNT_KIND_HOUR:
      return Window{Window::Kind::kHour, count.number()};
    case v1::COUNT_KIND_VISITS:
      return Window{Window::Kind::kVisits, 0};
    case v1::COUNT_KIND_VISIT_DAY:
      return Window{Window::Kind::kVisitDay, count.number()};
    default:
      return std::nullopt;
  }
}

bool IsOfDay(Window window) { return window.kind == Window::Kind::kDay || window.kind == Window::Kind::kVisitDay; }

}  // namespace

asio::awaitable<absl::StatusOr<std::unique_ptr<CountImporter::Import>>> CountImporter::Begin(v1::ImportHeader header) {
  if (auto status = CheckHeader(header); !status.ok()) co_return status;
  if (*open_ >= kImportsMax) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many imports are under way", limits::kRetryDelay);
  }
  ++*open_;
  auto begun = std::unique_ptr<Import>(new Import(*this, std::move(header)));
  const absl::Status started = co_await begun->Start();
  if (!started.ok()) co_return started;
  co_return begun;
}

CountImporter::Import::Import(CountImporter& owner, v1::ImportHeader header)
    : owner_(owner),
      open_(owner.open_),
      header_(std::move(header)),
      writer_id_(WriterIdOf(header_, header_.undo() ? "undo" : "import")),
      undone_id_(header_.undo() ? WriterIdOf(header_, "import") : "") {
  response_.set_adjustment_id(HexOfId(writer_id_));
}

absl::Status CountImporter::Import::CheckSite(const Site& site) const {
  if (header_.time_zone().empty() || header_.any_time_zone() || header_.time_zone() == site.settings.time_zone) {
    return absl::OkStatus();
  }
  return Refused("OTHER_TIME_ZONE",
                 fmt::format("the days of these counts are those of {}, and site {} divides its days by {}; give the "
                             "site that time zone, or import them as they are with --any-time-zone",
                             header_.time_zone(), site.name, site.settings.time_zone));
}

asio::awaitable<absl::StatusOr<std::optional<uint64_t>>> CountImporter::Import::LastSequence(std::string writer_id) {
  journal::v1::Adjustment question;
  question.set_adjustment_id(HexOfId(writer_id));
  question.set_unix_ms(owner_.parts_.clock.UnixMillis());
  question.set_kind(journal::v1::ADJUSTMENT_KIND_IMPORT);
  auto& part = *question.mutable_import();
  part.set_writer_id(writer_id);
  part.set_sequence(kQuestion);
  part.set_sequence_span(1);
  const std::function<absl::Status()> admit = [] { return absl::OkStatus(); };
  const absl::Status refused = co_await owner_.parts_.adjuster.Import(header_.site(), question, false, admit);
  const std::string reason = ReasonOf(refused);
  if (reason == "UNKNOWN_WRITER") co_return std::nullopt;
  if (reason == "SEQUENCE_GAP") co_return NumberOf(refused, "expected_sequence") - 1;
  if (refused.ok()) co_return absl::InternalError("a question was taken for a part of an import");
  co_return refused;
}

absl::Status CountImporter::Import::CheckNote(const AdjustmentLog& log, const journal::v1::Adjustment& note) const {
  if (log.IsUndone(note.adjustment_id())) {
    return Refused("IMPORT_UNDONE", header_.undo() ? "the import is taken back already"
                                                   : "this import was taken back; import it again under another --id");
  }
  const auto& part = note.import();
  if (part.content_id() == header_.content_id() && part.rows() == header_.rows()) return absl::OkStatus();
  return Refused("OTHER_CONTENT",
                 fmt::format("the import of this ID has {} other rows: {}", part.rows(), note.description()));
}

asio::awaitable<absl::Status> CountImporter::Import::CheckUndo(const AdjustmentLog& log) {
  const Adjustment* import = log.Find(HexOfId(undone_id_));
  if (import == nullptr) co_return Refused("NOT_COMPLETE", "these rows were never imported into the site");
  const auto& part = import->message.import();
  if (part.content_id() != header_.content_id() || part.rows() != header_.rows()) {
    co_return Refused("OTHER_CONTENT", "the import of this ID has other rows");
  }
  undone_rows_ = header_.rows();
  undone_unix_ms_ = import->message.unix_ms();
  if (part.complete()) co_return absl::OkStatus();
  const auto last = co_await LastSequence(undone_id_);
  if (!last.ok()) co_return last.status();
  if (!last->has_value()) {
    co_return Refused("NOT_COMPLETE",
                      "the import is not complete, and only the instance that began it knows which rows are counted; "
                      "take it back there");
  }
  undone_rows_ = std::min(**last - 1, header_.rows());
  co_return absl::OkStatus();
}

absl::Status CountImporter::Import::Admit() const {
  if (!owner_.taken_back_.contains(writer_id_)) return absl::OkStatus();
  return Refused("IMPORT_UNDONE", "this import is being taken back; import it again under another --id");
}

asio::awaitable<absl::StatusOr<AdjustmentLog>> CountImporter::Import::Locate(std::shared_ptr<const Site> site) {
  const auto& parts = owner_.parts_;
  auto log = co_await ReadAdjustments(parts.store, parts.counts, parts.ledgers, site);
  if (!log.ok()) co_return log.status();
  const auto last = co_await LastSequence(writer_id_);
  if (!last.ok()) co_return last.status();
  last_ = last->value_or(0);
  if (last_ > 0 && log->Find(response_.adjustment_id()) == nullptr) {
    // Another call of this import began it after the log was read.
    log = co_await ReadAdjustments(parts.store, parts.counts, parts.ledgers, site);
  }
  co_return log;
}

asio::awaitable<absl::Status> CountImporter::Import::Start() {
  const auto& parts = owner_.parts_;
  const auto site = parts.sites.Find(header_.site());
  if (site == nullptr) co_return parts.sites.Unknown(header_.site());
  if (auto status = CheckSite(*site); !status.ok()) co_return status;
  const auto log = co_await Locate(site);
  if (!log.ok()) co_return log.status();
  const Adjustment* note = log->Find(response_.adjustment_id());
  if (note != nullptr) {
    if (auto status = CheckNote(*log, note->message); !status.ok()) co_return status;
    note_unix_ms_ = note->message.unix_ms();
    if (note->message.import().complete()) last_ = header_.rows() + 2;
    if (last_ == 0) co_return OfOtherInstance();
  }
  response_.set_imported_rows(imported_rows());
  response_.set_complete(last_ >= header_.rows() + 2);
  if (response_.complete()) co_return absl::OkStatus();
  if (header_.undo()) {
    if (auto status = co_await CheckUndo(*log); !status.ok()) co_return status;
  }
  if (header_.check_only()) co_return absl::OkStatus();
  co_return co_await Continue(site);
}

asio::awaitable<absl::Status> CountImporter::Import::Continue(std::shared_ptr<const Site> site) {
  if (!header_.undo() && last_ == 0) {
    std::map<Window, int64_t> added;
    added[{Window::Kind::kAllTime, 0}] = header_.views();
    if (auto status = co_await CheckSums(site, std::move(added)); !status.ok()) co_return status;
  }
  if (auto status = co_await Claim(site, writer_id_, last_, note_unix_ms_); !status.ok()) co_return status;
  if (header_.undo() && undone_rows_ < header_.rows()) {
    if (auto status = co_await CloseUndone(site); !status.ok()) co_return status;
  }
  if (last_ == 0) co_return co_await JournalNote(false);
  // The service may have ended between the last row and the note.
  if (imported_rows() == header_.rows()) co_return co_await JournalNote(true);
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> CountImporter::Import::CloseUndone(std::shared_ptr<const Site> site) {
  // After the loss of its journal this instance has older sequences, or none.
  int64_t unix_ms = undone_unix_ms_;
  if (auto status = co_await Claim(site, undone_id_, 1, unix_ms); !status.ok()) co_return status;
  // Calls of the import may still be under way. Their rows are counted before the question, or refused.
  owner_.taken_back_.insert(undone_id_);
  const auto last = co_await LastSequence(undone_id_);
  if (!last.ok()) co_return last.status();
  undone_rows_ = std::min(last->value_or(1) - 1, header_.rows());
  co_return absl::OkStatus();
}

const Ledger& CountImporter::Import::LedgerOf(const std::string& writer_id) const {
  const auto& parts = owner_.parts_;
  return *parts.ledgers[LaneOfWriter(WriterOfId(writer_id), parts.lanes)];
}

asio::awaitable<absl::Status> CountImporter::Import::Claim(std::shared_ptr<const Site> site, std::string writer_id,
                                                           uint64_t last, int64_t& note_unix_ms) {
  const auto& parts = owner_.parts_;
  const std::string id = HexOfId(writer_id);
  const Shard shard = ShardOf(ArticleHash(site->seed, ""));
  ImportClaim own{
      .lane = ToHex(LedgerOf(writer_id).lane()), .content = HexOfId(header_.content_id()), .rows = header_.rows()};
  own.unix_ms = note_unix_ms > 0 ? note_unix_ms : parts.clock.UnixMillis();
  std::string expected;
  while (true) {
    const std::string wanted = TextOfClaim(own);
    const auto found = co_await parts.imports.ClaimImport(shard, site->name, id, expected, wanted);
    if (!found.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(found.status().message()), limits::kRetryDelay);
    }
    const auto claim = ParseClaim(*found);
    if (!claim) co_return absl::DataLossError("the store holds a claim of an import that viewcountd did not write");
    if (claim->content != own.content || claim->rows != own.rows) {
      co_return Refused("OTHER_CONTENT", fmt::format("the import of this ID has {} other rows", claim->rows));
    }
    if (note_unix_ms == 0) note_unix_ms = claim->unix_ms;
    if (claim->lane == own.lane) co_return absl::OkStatus();
    // A writer moves to another lane of its instance with the number of lanes. The claim follows it, so that the claim
    // names the lane whose journal has the last rows.
    const bool moved = last > 0 && std::ranges::any_of(parts.ledgers, [&](const Ledger* other) {
                         return ToHex(other->lane()) == claim->lane;
                       });
    if (!moved) co_return OfOtherInstance();
    own.unix_ms = claim->unix_ms;
    expected = *found;
  }
}

asio::awaitable<absl::Status> CountImporter::Import::JournalNote(bool complete) {
  const uint64_t sequence = complete ? header_.rows() + 2 : 1;
  journal::v1::Adjustment message;
  message.set_adjustment_id(response_.adjustment_id());
  message.set_unix_ms(note_unix_ms_);
  message.set_who(header_.who());
  message.set_why(header_.why());
  message.set_kind(header_.undo() ? journal::v1::ADJUSTMENT_KIND_UNDO : journal::v1::ADJUSTMENT_KIND_IMPORT);
  if (header_.undo()) message.set_undoes_adjustment_id(HexOfId(undone_id_));
  const char* begun = header_.undo() ? "began to take back the import of" : "began to import";
  const char* finished = header_.undo() ? "took back the import of" : "imported";
  const char* done = complete ? finished : begun;
  message.set_description(fmt::format("{} {} rows with {} views of all time{}{}", done, header_.rows(), header_.views(),
                                      header_.source().empty() ? "" : " from ", header_.source()));
  auto& part = *message.mutable_import();
  part.set_writer_id(writer_id_);
  part.set_sequence(sequence);
  part.set_sequence_span(1);
  part.set_content_id(header_.content_id());
  part.set_rows(header_.rows());
  part.set_complete(complete);
  const std::function<absl::Status()> admit = [this] { return Admit(); };
  const absl::Status status = co_await owner_.parts_.adjuster.Import(header_.site(), message, false, admit);
  // Another call of the same import may have been faster.
  if (!status.ok() && ReasonOf(status) != "DUPLICATE_SEQUENCE") co_return status;
  last_ = std::max(sequence, NumberOf(status, "last_sequence"));
  response_.set_imported_rows(imported_rows());
  response_.set_complete(last_ >= header_.rows() + 2);
  co_return absl::OkStatus();
}

CountImporter::Import::Kept CountImporter::Import::KeptNow(const Site& site) const {
  const int64_t now = owner_.parts_.clock.UnixMillis();
  SiteCalendar calendar(site.days);
  const auto slot = [&](int64_t unix_ms) {
    return calendar.SlotOf(std::clamp<int64_t>(unix_ms, 0, limits::kEventTimeUnixMsMax));
  };
  Kept kept;
  // Clocks differ, and another zone may be a day ahead.
  kept.last_day = slot(now + kDayMs).day;
  kept.last_hour = slot(now + kDayMs).hour;
  const auto& settings = site.settings;
  kept.first_hour = slot(now - settings.hours_kept_days * kDayMs).hour;
  const int64_t days = settings.days_kept_days > 0 ? settings.days_kept_days : kImportDaysMax;
  kept.first_day = slot(now - std::min(days, kImportDaysMax) * kDayMs).day;
  return kept;
}

absl::Status CountImporter::Import::CheckRow(const Kept& kept, size_t place, const v1::CountRow& row) const {
  const auto field = [place](std::string_view name) { return fmt::format("rows[{}].{}", place, name); };
  const bool of_site = row.article_id().empty();
  if (!of_site && !IsArticleIdFast(row.article_id())) {
    return InvalidField(field("article_id"), fmt::format("must be 1 to {} bytes of UTF-8 without control characters",
                                                         limits::kArticleIdBytesMax));
  }
  if (of_site && static_cast<size_t>(row.counts_size()) > kSnapshotRowCountsMax) {
    return InvalidField(field("counts"), fmt::format("must be at most {} in a row of the site", kSnapshotRowCountsMax));
  }
  for (int i = 0; i < row.counts_size(); ++i) {
    const v1::CountedViews& count = row.counts(i);
    const auto named = [&](std::string_view name) { return field(fmt::format("counts[{}].{}", i, name)); };
    const auto window = WindowOfCount(count);
    if (!window) return InvalidField(named("kind"), "is not known");
    const bool of_visits = window->kind == Window::Kind::kVisits || window->kind == Window::Kind::kVisitDay;
    if (of_visits && !of_site) return InvalidField(named("kind"), "must be views: only the site has visits");
    if (count.views() > kImportViewsMax) return InvalidField(named("views"), "must be at most 2^46");
    if (count.views() < (of_site ? -kImportViewsMax : 0)) {
      return InvalidField(named("views"), of_site ? "must be at least -2^46" : "must not be below 0");
    }
    if (IsOfDay(*window)) {
      if (!DayOfNumber(window->number)) return InvalidField(named("number"), "must be a day such as 20261122");
      if (window->number > kept.last_day) return InvalidField(named("number"), "is a day of the future");
    } else if (window->kind == Window::Kind::kHour) {
      if (window->number > kept.last_hour) return InvalidField(named("number"), "is an hour of the future");
    } else if (count.number() != 0) {
      return InvalidField(named("number"), "must be 0 unless the count is of a day or an hour");
    }
  }
  return absl::OkStatus();
}

journal::v1::ArticleChange CountImporter::Import::ChangesOf(const Kept& kept, const v1::CountRow& row,
                                                            v1::ImportCountsResponse& left) const {
  journal::v1::ArticleChange change;
  change.set_article_id(row.article_id());
  for (const v1::CountedViews& count : row.counts()) {
    const Window window = *WindowOfCount(count);
    if (count.views() == 0) continue;
    if (IsOfDay(window) && window.number < kept.first_day) {
      left.set_left_out_days(left.left_out_days() + 1);
    } else if (window.kind == Window::Kind::kHour && window.number < kept.first_hour) {
      left.set_left_out_hours(left.left_out_hours() + 1);
    } else {
      *change.add_windows() = ChangeOf(window, header_.undo() ? -count.views() : count.views());
    }
  }
  return change;
}

asio::awaitable<absl::Status> CountImporter::Import::CheckSums(std::shared_ptr<const Site> site,
                                                               const journal::v1::Adjustment& message) {
  // At most kImportCountsMax counts of kImportViewsMax each fit 64 bits.
  std::map<Window, int64_t> added;
  for (const auto& change : message.changes()) {
    for (const auto& window : change.windows()) added[WindowOf(window)] += std::abs(window.views());
  }
  co_return co_await CheckSums(site, std::move(added));
}

asio::awaitable<absl::Status> CountImporter::Import::CheckSums(std::shared_ptr<const Site> site,
                                                               std::map<Window, int64_t> added) {
  std::vector<Window> unknown;
  for (const auto& [window, views] : added) {
    if (!present_.contains(window)) unknown.push_back(window);
  }
  for (size_t from = 0; from < unknown.size(); from += kTotalsStep) {
    const size_t to = std::min(from + kTotalsStep, unknown.size());
    const std::vector<Window> some(unknown.begin() + static_cast<ptrdiff_t>(from),
                                   unknown.begin() + static_cast<ptrdiff_t>(to));
    const auto totals = co_await owner_.parts_.totals.Read(site, some);
    if (!totals.ok()) co_return totals.status();
    for (size_t i = 0; i < some.size(); ++i) present_[some[i]] = std::abs(totals->views[i]);
  }
  for (const auto& [window, views] : added) {
    if (views > kImportSumMax || present_[window] > kImportSumMax - views) {
      co_return Refused(
          "TOO_MANY_VIEWS",
          fmt::format("a count of the site would pass 2^52: it is {}, and {} would be added", present_[window], views));
    }
  }
  for (const auto& [window, views] : added) present_[window] += views;
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> CountImporter::Import::WaitForRoom() const {
  const auto& parts = owner_.parts_;
  const auto end = std::chrono::steady_clock::now() + kImportFlushTimeout;
  while (LedgerOf(writer_id_).totals().bytes >= kImportPendingBytesMax) {
    if (owner_.stopped_ || std::chrono::steady_clock::now() >= end) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "what was imported cannot be written to Redis now",
                           limits::kRetryDelay);
    }
    const absl::Status flushed = co_await parts.flush(kFlushStep);
    if (!flushed.ok() && !absl::IsDeadlineExceeded(flushed)) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(flushed.message()), limits::kRetryDelay);
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> CountImporter::Import::JournalRows(const v1::ImportCountsRequest& request, uint64_t at) {
  const auto site = owner_.parts_.sites.Find(header_.site());
  const Kept kept = KeptNow(*site);
  v1::ImportCountsResponse left;
  journal::v1::Adjustment message;
  message.set_adjustment_id(response_.adjustment_id());
  message.set_unix_ms(owner_.parts_.clock.UnixMillis());
  message.set_kind(journal::v1::ADJUSTMENT_KIND_IMPORT);
  for (auto i = static_cast<int>(at); i < request.rows_size(); ++i) {
    const v1::CountRow& row = request.rows(i);
    // The import ended before this row, so there is nothing to subtract.
    if (header_.undo() && request.first_row() + static_cast<uint64_t>(i) > undone_rows_) break;
    if (auto status = CheckRow(kept, static_cast<size_t>(i), row); !status.ok()) co_return status;
    auto change = ChangesOf(kept, row, left);
    if (!change.windows().empty()) *message.add_changes() = std::move(change);
  }
  if (!header_.undo()) {
    if (auto status = co_await CheckSums(site, message); !status.ok()) co_return status;
  }
  auto& part = *message.mutable_import();
  part.set_writer_id(writer_id_);
  part.set_sequence(request.first_row() + at + 1);
  part.set_sequence_span(static_cast<uint32_t>(static_cast<uint64_t>(request.rows_size()) - at));
  const uint64_t last = part.sequence() + part.sequence_span() - 1;
  const std::function<absl::Status()> admit = [this] { return Admit(); };
  const absl::Status status = co_await owner_.parts_.adjuster.Import(header_.site(), message, header_.undo(), admit);
  if (!status.ok()) {
    if (ReasonOf(status) == "DUPLICATE_SEQUENCE") last_ = std::max(last_, NumberOf(status, "last_sequence"));
    co_return status;
  }
  last_ = last;
  response_.set_new_rows(response_.new_rows() + static_cast<uint64_t>(request.rows_size()) - at);
  response_.set_left_out_days(response_.left_out_days() + left.left_out_days());
  response_.set_left_out_hours(response_.left_out_hours() + left.left_out_hours());
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> CountImporter::Import::Take(const v1::ImportCountsRequest& request) {
  const auto rows = static_cast<uint64_t>(request.rows_size());
  if (rows == 0) co_return absl::OkStatus();
  if (header_.check_only()) co_return InvalidField("rows", "must be empty with check_only");
  if (rows > kImportRowsMax) co_return InvalidField("rows", fmt::format("must be at most {}", kImportRowsMax));
  size_t counts = 0;
  for (const auto& row : request.rows()) counts += static_cast<size_t>(row.counts_size());
  if (counts > kImportCountsMax)
    co_return InvalidField("rows", fmt::format("must have at most {} counts", kImportCountsMax));
  const uint64_t first = request.first_row();
  if (first == 0) co_return InvalidField("first_row", "must be at least 1");
  if (first > header_.rows() || rows > header_.rows() - first + 1) {
    co_return InvalidField("first_row", fmt::format("leads beyond the import's {} rows", header_.rows()));
  }
  // The loop goes round again only if another call of the same import was faster.
  while (imported_rows() < first + rows - 1) {
    if (owner_.stopped_) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
    }
    if (first > imported_rows() + 1) {
      co_return ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                fmt::format("row {} leaves a gap: {} is expected next", first, imported_rows() + 1),
                                "ROWS_LEFT_OUT", {{"expected_row", std::to_string(imported_rows() + 1)}});
    }
    if (auto status = co_await WaitForRoom(); !status.ok()) co_return status;
    const absl::Status status = co_await JournalRows(request, imported_rows() + 1 - first);
    if (!status.ok() && ReasonOf(status) != "DUPLICATE_SEQUENCE") co_return status;
  }
  response_.set_imported_rows(imported_rows());
  // Another call of the same import may have written the last note.
  response_.set_complete(last_ >= header_.rows() + 2);
  if (imported_rows() == header_.rows() && last_ < header_.rows() + 2) co_return co_await JournalNote(true);
  co_return absl::OkStatus();
}

}  // namespace viewcount
