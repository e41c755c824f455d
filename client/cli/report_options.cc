#include "client/cli/report_options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "client/cli/choice_option.h"
#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

// Returns a complaint, or nothing.
std::string CheckMonth(const std::string& text) {
  bool ok = text.size() == 7;
  for (size_t i = 0; ok && i < text.size(); ++i) ok = i == 4 ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';
  const std::string month = ok ? text.substr(5) : "";
  return ok && month >= "01" && month <= "12" && text >= "1970" ? "" : "must be a month as YYYY-MM, such as 2026-10";
}

}  // namespace

void AddReportOptions(CLI::App& command, ReportCommand& options) {
  auto* month = command
                    .add_option("--month", options.month,
                                "A month in the site's time zone; if no window is given, "
                                "the last whole month")
                    ->type_name("YYYY-MM")
                    ->check(CLI::Validator(CheckMonth, ""));
  AddWindowOptions(command, options.window);
  for (const char* option : {"--last", "--day", "--from"}) month->excludes(command.get_option(option));
  AddChoice(command, "--format", options.format,
            "text, html for browsers and printers, or csv for spreadsheets; text if not given",
            std::map<std::string, ReportFormat>{
                {"csv", ReportFormat::kCsv}, {"html", ReportFormat::kHtml}, {"text", ReportFormat::kText}});
  AddChoice(
      command, "--language", options.language, "English or Vietnamese; en if not given. CSV is always English",
      std::map<std::string, ReportLanguage>{{"en", ReportLanguage::kEnglish}, {"vi", ReportLanguage::kVietnamese}});
  command.add_option("--top", options.top, "How many articles, sections and authors")
      ->check(CLI::Range(size_t{1}, limits::kDeepListMax))
      ->capture_default_str();
  command.add_flag("--compare", options.compare, "Compare with the window before, such as the month before");
  command.add_option("--output", options.output, "The file to write; standard output if not given")->type_name("FILE");
}

}  // namespace viewcount::cli
