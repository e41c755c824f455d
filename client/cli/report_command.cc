// Implements the command report.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "client/cli/commands.h"
#include "client/cli/report_formats.h"
#include "client/cli/report_reader.h"

namespace viewcount::cli {
namespace {

std::string Formatted(const Report& report, const ReportCommand& command) {
  switch (command.format) {
    case ReportFormat::kHtml:
      return ReportHtml(report, command.language);
    case ReportFormat::kCsv:
      return ReportCsv(report);
    case ReportFormat::kText:
      break;
  }
  return ReportText(report, command.language);
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return absl::ErrnoToStatus(errno, fmt::format("--output: cannot write {}", path));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) == 0 && written) return absl::OkStatus();
  return absl::ErrnoToStatus(written ? errno : error, fmt::format("--output: cannot write {}", path));
}

}  // namespace

absl::StatusOr<ExitCode> Run(Session& session, const ReportCommand& command) {
  if (session.options().json) {
    PrintError("--json: a report is text, HTML or CSV; choose one with --format");
    return ExitCode::kUsage;
  }
  // The file is written after everything was read, so that an error leaves an earlier report as it is.
  const auto report = ReadReport(session, command);
  if (!report.ok()) return report.status();
  const std::string text = Formatted(*report, command);
  if (command.output.empty()) {
    Print(text);
    return ExitCode::kOk;
  }
  if (auto status = WriteFile(command.output, text); !status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace viewcount::cli
