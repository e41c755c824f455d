// Implements the command import counts.
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <variant>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/counts_day.h"
#include "client/cli/counts_file.h"
#include "client/cli/csv.h"
#include "client/cli/import_counts.h"
#include "client/cli/progress.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/base/unique_fd.h"

namespace viewcount::cli {
namespace {

// The number of bad lines that are shown.
constexpr size_t kBadLinesShownMax = 10;
// Merging takes the service some time for each alias, so there are not many in an import.
constexpr size_t kAliasesMax = 1'000;
constexpr size_t kCopyBytes = 1 << 20;

// Returns the 16 bytes of a hash.
std::string HashOf(std::string_view text) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data(), text.size()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

absl::Status ErrnoStatus(std::string_view what) {
  return absl::UnavailableError(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

// Copies a source that cannot be read twice into a file without a name, which vanishes with this process.
absl::StatusOr<std::unique_ptr<ByteSource>> Spool(ByteSource& source, const std::string& name) {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return absl::UnavailableError("there is no folder for temporary files; set TMPDIR");
  UniqueFd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid()) return ErrnoStatus(fmt::format("a temporary file in {}", folder.string()));
  std::vector<char> buffer(kCopyBytes);
  while (true) {
    const auto count = source.Read(buffer.data(), buffer.size());
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    for (size_t written = 0; written < *count;) {
      const ssize_t some = write(file.get(), buffer.data() + written, *count - written);
      if (some < 0) return ErrnoStatus(fmt::format("a temporary file in {}", folder.string()));
      written += static_cast<size_t>(some);
    }
  }
  if (!source.damage().empty()) {
    return absl::FailedPreconditionError(fmt::format("the compressed file is {}", source.damage()));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return ErrnoStatus("a temporary file");
  // The source owns a descriptor of its own.
  const int descriptor = fcntl(file.get(), F_DUPFD_CLOEXEC, 3);
  if (descriptor < 0) return ErrnoStatus("a temporary file");
  return ByteSource::Adopt(name, descriptor);
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenTwice(const std::string& path) {
  auto source = ByteSource::Open(path);
  if (!source.ok() || (*source)->Rewind().ok()) return source;
  return Spool(**source, path);
}

// The result of the first reading of a file, besides its rows.
struct Survey {
  // Bad lines make the whole import fail.
  uint64_t bad_lines = 0;
  uint64_t bots = 0;
  uint32_t first_day = 0;
  uint32_t last_day = 0;
  // Up to kAliasesMax of them.
  std::vector<SnapshotAlias> aliases;
};

void Note(const v1::CountRow& row, Survey& survey) {
  for (const auto& count : row.counts()) {
    if (count.kind() == v1::COUNT_KIND_BOTS) survey.bots += static_cast<uint64_t>(count.views());
    if (count.kind() != v1::COUNT_KIND_DAY) continue;
    if (survey.first_day == 0 || count.number() < survey.first_day) survey.first_day = count.number();
    survey.last_day = std::max(survey.last_day, count.number());
  }
}

// Returns the options of the file. The service takes days and hours until the same time tomorrow.
CountsOptions OptionsOf(const ImportCountsCommand& command, const v1::Site& site) {
  CountsOptions options{.day = command.day.empty() ? 0 : ParseCountsDay(command.day).value_or(0),
                        .all_time = command.all_time};
  // Rows that were never imported may be in the way of an undo no more than others.
  if (command.undo) return options;
  absl::TimeZone zone = absl::UTCTimeZone();
  // A zone that this machine does not know may be up to 14 hours ahead of UTC.
  const bool known = absl::LoadTimeZone(site.time_zone(), &zone);
  const absl::Time last = absl::Now() + absl::Hours(24);
  const absl::CivilDay day = absl::ToCivilDay(known ? last : last + absl::Hours(14), zone);
  options.last_day = static_cast<uint32_t>((day.year() * 100 + day.month()) * 100 + day.day());
  options.last_hour = static_cast<uint32_t>(absl::ToUnixSeconds(last) / 3600);
  return options;
}

// One run of the command. Not thread-safe.
class CountsImport {
 public:
  CountsImport(Session& session, const ImportCountsCommand& command, v1::Site site, std::unique_ptr<ByteSource> source)
      : session_(session),
        command_(command),
        site_(std::move(site)),
        file_(std::move(source), OptionsOf(command, site_)) {}

  absl::Status Run() {
    if (auto status = ReadAll(); !status.ok()) return Named(status);
    const auto header = Header();
    CountsSender sender(session_, file_, header, SenderOptions(header.rows()));
    const auto before = sender.Check();
    if (!before.ok()) return before.status();
    if (command_.dry_run) return ShowPlan(*before);
    auto status = sender.Send();
    progress_.Clear();
    if (!status.ok()) return Explained(status, sender.result());
    if (!command_.undo && !command_.only_counts) {
      if (auto put = PutAliases(); !put.ok()) return put;
      if (auto put = PutAnnounced(); !put.ok()) return Named(put);
    }
    progress_.Clear();
    Report(*before, sender.result());
    return absl::OkStatus();
  }

 private:
  absl::Status Named(const absl::Status& status) const {
    return WithMessage(status, fmt::format("{}: {}", command_.file, ToStd(status.message())));
  }

  // Adds to an error what the user can do about it.
  absl::Status Explained(const absl::Status& status, const v1::ImportCountsResponse& result) const {
    return WithMessage(
        status, fmt::format("{}; {} of {} are imported. Run the same command again, and the import goes "
                            "on after them",
                            ToStd(status.message()), Grouped(result.imported_rows()), Counted(totals_.rows, "row")));
  }

  // Reads the whole file before anything is sent, so that a broken file changes nothing.
  absl::Status ReadAll() {
    while (true) {
      auto item = file_.Next();
      if (!item.ok() && !absl::IsInvalidArgument(item.status())) {
        progress_.Clear();
        return item.status();
      }
      progress_.Show([&] {
        const auto& source = file_.source();
        const uint64_t size = std::max<uint64_t>(1, source.file_size());
        return fmt::format("{}: checking, {} %", OneLine(command_.file), source.file_position() * 100 / size);
      });
      if (!item.ok()) {
        ShowBadLine(item.status());
        continue;
      }
      if (!item->has_value()) break;
      if (const auto* row = std::get_if<v1::CountRow>(&**item)) Note(*row, survey_);
      auto* alias = std::get_if<SnapshotAlias>(&**item);
      if (alias != nullptr && survey_.aliases.size() < kAliasesMax) survey_.aliases.push_back(std::move(*alias));
    }
    progress_.Clear();
    totals_ = file_.totals();
    content_id_ = file_.rows_hash();
    if (survey_.bad_lines > kBadLinesShownMax) {
      PrintError(fmt::format("and {} more bad lines", Grouped(survey_.bad_lines - kBadLinesShownMax)));
    }
    if (survey_.bad_lines > 0) {
      return absl::InvalidArgumentError(fmt::format("{}; nothing is imported", Counted(survey_.bad_lines, "bad line")));
    }
    if (totals_.rows == 0) return absl::FailedPreconditionError("there are no rows in it");
    return absl::OkStatus();
  }

  void ShowBadLine(const absl::Status& status) {
    if (++survey_.bad_lines > kBadLinesShownMax) return;
    progress_.Clear();
    PrintError(fmt::format("{}, {}", OneLine(command_.file), OneLine(ToStd(status.message()))));
  }

  v1::ImportHeader Header() const {
    v1::ImportHeader header;
    header.set_site(site_.name());
    const std::string id = command_.id.empty() ? "rows\n" + content_id_ : "id\n" + command_.id;
    header.set_import_id(HashOf(site_.name() + "\n" + id));
    header.set_content_id(content_id_);
    header.set_rows(totals_.rows);
    header.set_views(totals_.views);
    std::string source = command_.file == "-" ? "standard input" : command_.file;
    if (file_.head()) source += fmt::format(", a snapshot of {}", file_.head()->site);
    header.set_source(source.substr(0, limits::kProvenanceBytesMax));
    if (!IsUtf8(header.source())) header.set_source("a file");
    if (file_.head()) header.set_time_zone(file_.head()->time_zone);
    header.set_any_time_zone(command_.any_time_zone);
    header.set_undo(command_.undo);
    header.set_who(UserName());
    header.set_why(command_.why);
    return header;
  }

  CountsSenderOptions SenderOptions(uint64_t rows) {
    CountsSenderOptions options;
    options.retry_for = std::chrono::milliseconds(static_cast<int64_t>(command_.retry_for * 1000));
    options.on_progress = [this, rows](uint64_t imported) {
      progress_.Show([&] {
        return fmt::format("{}: {} %, {} of {}", OneLine(command_.file), imported * 100 / rows, Grouped(imported),
                           Counted(rows, "row"));
      });
    };
    options.on_retry = [this](const absl::Status& error) {
      progress_.Clear();
      PrintError(fmt::format("{}: {}; trying again", OneLine(command_.file), ToStd(error.message())));
    };
    return options;
  }

  absl::Status ShowPlan(const v1::ImportCountsResponse& before) {
    if (session_.options().json) {
      Print(fmt::format(
          "{{\"dryRun\":true,\"adjustmentId\":\"{}\",\"rows\":{},\"views\":{},\"botViews\":{},\"importedRows\":{},"
          "\"aliases\":{},\"announced\":{}}}\n",
          before.adjustment_id(), totals_.rows, totals_.views, survey_.bots, before.imported_rows(), totals_.aliases,
          totals_.announced));
      return absl::OkStatus();
    }
    std::string text = fmt::format("{} with {} of all time and {} by bots", Counted(totals_.rows, "row"),
                                   Grouped(static_cast<uint64_t>(std::max<int64_t>(0, totals_.views))) + " views",
                                   Grouped(survey_.bots));
    if (survey_.first_day != 0) {
      text += fmt::format(", on days from {} to {}", CountsDayText(survey_.first_day), CountsDayText(survey_.last_day));
    }
    text += fmt::format(", would be {} site {}\n", command_.undo ? "taken back from" : "added to", site_.name());
    if (before.imported_rows() > 0) {
      text += fmt::format("{} of them {} already\n", Grouped(before.imported_rows()),
                          command_.undo ? "are taken back" : "are imported");
    }
    if (file_.head() && !command_.only_counts) {
      text += fmt::format("{} and {} would be put as well\n", Counted(totals_.aliases, "merge"),
                          Counted(totals_.announced, "announcement"));
    }
    Print(text + "nothing was changed\n");
    return absl::OkStatus();
  }

  // Merges the articles that the snapshot's site counted for others.
  absl::Status PutAliases() {
    if (totals_.aliases > kAliasesMax) return absl::OkStatus();
    for (const SnapshotAlias& alias : survey_.aliases) {
      v1::MergeArticlesRequest request;
      request.set_site(site_.name());
      request.set_from_article_id(alias.from);
      request.set_into_article_id(alias.into);
      request.mutable_provenance()->set_who(UserName());
      request.mutable_provenance()->set_why("import of " + command_.file.substr(0, limits::kProvenanceBytesMax / 2));
      const auto merged = session_.Call(session_.admin(), &v1::AdminService::Stub::MergeArticles, request);
      if (merged.ok()) {
        ++aliases_put_;
      } else if (ReasonOf(merged.status()) != "ALREADY_MERGED") {
        if (!absl::IsInvalidArgument(merged.status())) return merged.status();
        // The site counts one of the two articles otherwise.
        ++aliases_refused_;
        progress_.Clear();
        PrintError(fmt::format("warning: {} is not counted for {}: {}", OneLine(alias.from), OneLine(alias.into),
                               ToStd(merged.status().message())));
      }
      progress_.Show([&] { return fmt::format("{} of {}", aliases_put_, Counted(totals_.aliases, "merge")); });
    }
    return absl::OkStatus();
  }

  absl::Status PutAnnounced() {
    if (totals_.announced == 0) return absl::OkStatus();
    if (auto status = file_.Rewind(); !status.ok()) return status;
    v1::PutArticlesRequest request;
    request.set_site(site_.name());
    size_t bytes = 0;
    const auto put = [&]() -> absl::Status {
      if (request.articles().empty()) return absl::OkStatus();
      const auto response = session_.Call(session_.admin(), &v1::AdminService::Stub::PutArticles, request);
      if (!response.ok()) return response.status();
      announced_put_ += static_cast<uint64_t>(request.articles_size());
      request.clear_articles();
      bytes = 0;
      return absl::OkStatus();
    };
    while (true) {
      auto item = file_.Next();
      if (!item.ok()) return item.status();
      if (!item->has_value()) return put();
      auto* article = std::get_if<v1::Article>(&**item);
      if (article == nullptr) continue;
      bytes += article->ByteSizeLong();
      *request.add_articles() = std::move(*article);
      const bool full = static_cast<size_t>(request.articles_size()) == limits::kPutArticlesMax;
      if (!full && bytes < limits::kRequestBytesMax / 4) continue;
      if (auto status = put(); !status.ok()) return status;
      progress_.Show(
          [&] { return fmt::format("{} of {}", announced_put_, Counted(totals_.announced, "announcement")); });
    }
  }

  void Report(const v1::ImportCountsResponse& before, const v1::ImportCountsResponse& result) const {
    const bool aliases_left = totals_.aliases > kAliasesMax;
    if (session_.options().json) {
      Print(
          fmt::format("{{\"adjustmentId\":\"{}\",\"rows\":{},\"newRows\":{},\"views\":{},\"leftOutDays\":{},"
                      "\"leftOutHours\":{},\"aliases\":{},\"announced\":{},\"complete\":{}}}\n",
                      result.adjustment_id(), totals_.rows, result.new_rows(), totals_.views, result.left_out_days(),
                      result.left_out_hours(), aliases_put_, announced_put_, result.complete()));
    } else {
      ReportText(before, result);
    }
    if (aliases_left) {
      PrintError(fmt::format("warning: the {} of the snapshot are not imported, because they are more than {}",
                             Counted(totals_.aliases, "merge"), Grouped(kAliasesMax)));
    }
  }

  void ReportText(const v1::ImportCountsResponse& before, const v1::ImportCountsResponse& result) const {
    const char* done = command_.undo ? "taken back" : "imported";
    std::string text;
    if (result.new_rows() == 0) {
      text = fmt::format("all {} were {} before; nothing was changed\n", Counted(totals_.rows, "row"), done);
    } else {
      text = fmt::format("{} {}", Counted(result.new_rows(), "row"), done);
      if (before.imported_rows() > 0) text += fmt::format(", {} before", Grouped(before.imported_rows()));
      text += fmt::format("; {} views of all time in all {}\n", totals_.views, Counted(totals_.rows, "row"));
    }
    if (result.left_out_hours() > 0 || result.left_out_days() > 0) {
      text += fmt::format(
          "left out, because the site does not keep them so long: the views of {} and of {}; they are "
          "in the sums of longer times\n",
          Counted(result.left_out_hours(), "hour"), Counted(result.left_out_days(), "day"));
    }
    if (aliases_put_ > 0) text += fmt::format("{} merged into others\n", Counted(aliases_put_, "article"));
    if (announced_put_ > 0) text += fmt::format("{} announced\n", Counted(announced_put_, "article"));
    if (!command_.undo) {
      text += fmt::format("take it back with: viewcount --site {} import counts FILE --undo{}\n", site_.name(),
                          command_.id.empty() ? "" : " --id " + OneLine(command_.id));
    }
    Print(text);
  }

  Session& session_;
  const ImportCountsCommand& command_;
  const v1::Site site_;
  CountsFile file_;
  Progress progress_;
  Survey survey_;
  SnapshotEnd totals_;
  std::string content_id_;
  uint64_t aliases_put_ = 0;
  uint64_t aliases_refused_ = 0;
  uint64_t announced_put_ = 0;
};

}  // namespace

absl::Status Run(Session& session, const ImportCountsCommand& command) {
  // Asks the service before the file is read, so that a wrong address or site is reported immediately.
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  auto source = OpenTwice(command.file);
  if (!source.ok()) return source.status();
  CountsImport import(session, command, *site, *std::move(source));
  return import.Run();
}

}  // namespace viewcount::cli
