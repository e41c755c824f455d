// The options of the command report.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/window_options.h"

namespace CLI {
class App;
}

namespace viewcount::cli {

enum class ReportFormat { kText, kHtml, kCsv };
enum class ReportLanguage { kEnglish, kVietnamese };

// A plain value.
struct ReportCommand {
  // A month as `YYYY-MM`. Empty for `window`, or for the last whole month if there is none.
  std::string month = {};
  WindowOptions window = {};
  ReportFormat format = ReportFormat::kText;
  ReportLanguage language = ReportLanguage::kEnglish;
  // The number of articles, sections and authors that are shown.
  uint32_t top = 20;
  // True to compare with the window before.
  bool compare = false;
  // The file that is written. Empty for standard output.
  std::string output = {};
};

// Adds the options to the command. `options` must outlive it.
void AddReportOptions(CLI::App& command, ReportCommand& options);

}  // namespace viewcount::cli
