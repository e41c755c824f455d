// The forms of a report. Pure functions; thread-safe.
#pragma once

#include <string>

#include "client/cli/report.h"
#include "client/cli/report_options.h"

namespace viewcount::cli {

// Returns the report as text for terminals and mails.
std::string ReportText(const Report& report, ReportLanguage language);

// Returns the report as one file of HTML, for browsers and printers. It has no scripts and loads nothing.
std::string ReportHtml(const Report& report, ReportLanguage language);

// Returns the report as CSV. The column `kind` distinguishes the rows: period, total, day or hour, article, section,
// author and note. Shares are in percent.
std::string ReportCsv(const Report& report);

}  // namespace viewcount::cli
