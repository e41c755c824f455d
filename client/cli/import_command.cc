// Implements the command import access-log.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/importer.h"
#include "client/cli/progress.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The number of bad lines that are shown. Further bad lines are only counted.
constexpr uint64_t kBadLinesShown = 10;

std::string Plural(uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", Grouped(number), number == 1 ? one : many);
}

std::string ReportText(const ImportCounts& counts, uint64_t articles) {
  std::string text;
  if (counts.views == 0 && counts.imported_before_lines > 0) {
    text = "0 new views";
  } else {
    text =
        fmt::format("{} of {} counted", Plural(counts.views, "view", "views"), Plural(articles, "article", "articles"));
  }
  if (counts.imported_before_lines > 0) {
    text += fmt::format("; {} imported before", Plural(counts.imported_before_lines, "line was", "lines were"));
  }
  return fmt::format("{}; {} no page views; {}\n", text, Plural(counts.other_lines, "line was", "lines were"),
                     Plural(counts.bad_lines, "bad line", "bad lines"));
}

std::string ReportJson(const ImportCounts& counts, uint64_t articles) {
  return fmt::format(
      "{{\n \"views\": {},\n \"articles\": {},\n \"lines\": {},\n \"importedBeforeLines\": {},\n"
      " \"noPageViewLines\": {},\n \"badLines\": {}\n}}\n",
      counts.views, articles, counts.lines, counts.imported_before_lines, counts.other_lines, counts.bad_lines);
}

// One run of the command over all its files. Not thread-safe.
class AccessLogImport {
 public:
  AccessLogImport(Session& session, const ImportAccessLogCommand& command, std::string site)
      : sender_(session.channel(), OptionsOf(session, command)), importer_(ImporterOptionsOf(std::move(site))) {}

  absl::Status Import(const std::string& file) {
    file_ = file;
    auto source = ByteSource::Open(file);
    if (!source.ok()) return source.status();
    LineReader reader(std::move(*source));
    const auto head = reader.Head();
    if (!head.ok()) return head.status();
    if (head->size() < kHeadBytes && !head->empty()) {
      PrintError(
          fmt::format("warning: {} is shorter than {} bytes, by which a log is known; when it has grown, importing "
                      "it again counts all of it again",
                      file, kHeadBytes));
    }
    auto status = importer_.Import(reader, file);
    progress_.Clear();
    return status;
  }

  void Report(bool json) {
    const auto& counts = importer_.counts();
    if (counts.bad_lines > kBadLinesShown) {
      PrintError(fmt::format("and {} more bad lines", Grouped(counts.bad_lines - kBadLinesShown)));
    }
    Print(json ? ReportJson(counts, importer_.articles()) : ReportText(counts, importer_.articles()));
  }

  bool met_bad_lines() const { return importer_.counts().bad_lines > 0; }

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

  ImporterOptions ImporterOptionsOf(std::string site) {
    ImporterOptions options;
    options.site = std::move(site);
    options.send = [this](const std::string& request) {
      retrying_ = false;
      return sender_.Send(request);
    };
    options.on_bad_line = [this](const BadLine& bad) { ShowBadLine(bad); };
    options.on_progress = [this](const ImportCounts& counts, const ByteSource& source) {
      progress_.Show(file_, counts, source);
    };
    return options;
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

  std::string file_;
  bool retrying_ = false;
  uint64_t bad_lines_seen_ = 0;
  Progress progress_;
  client::BatchSender sender_;
  Importer importer_;
};

}  // namespace

absl::StatusOr<ExitCode> Run(Session& session, const ImportAccessLogCommand& command) {
  // Asks the service before the first line is read, so that a wrong address or site is reported immediately.
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  AccessLogImport import(session, command, site->name());
  for (const auto& file : command.files) {
    if (auto status = import.Import(file); !status.ok()) {
      import.Report(session.options().json);
      return status;
    }
  }
  import.Report(session.options().json);
  return command.strict && import.met_bad_lines() ? ExitCode::kBadLines : ExitCode::kOk;
}

}  // namespace viewcount::cli
