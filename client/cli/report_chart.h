// The chart of a report.
#pragma once

#include <string>

#include "client/cli/report.h"
#include "client/cli/report_words.h"

namespace viewcount::cli {

// Returns a bar for each point as an SVG element. Empty if there are no points. Pure function; thread-safe.
std::string ReportChart(const Report& report, const ReportFormatter& format);

}  // namespace viewcount::cli
