// The report of an import, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/import_summary.h"

namespace viewcount::cli {

// The kind of files that were imported. Only the command for access logs has options for their formats.
enum class ImportedFiles : uint8_t { kAccessLogs, kForeign };

// Returns the report as lines of text. Thread-safe.
std::string ImportReportText(const ImportSummary& summary);
// Returns the report as a JSON object, including warnings and hints. `site` is used in hints. Thread-safe.
std::string ImportReportJson(const ImportSummary& summary, std::string_view site,
                             ImportedFiles files = ImportedFiles::kAccessLogs);

// Returns sentences on what is probably wrong, and what to do. Thread-safe.
std::vector<std::string> ImportWarnings(const ImportSummary& summary, ImportedFiles files = ImportedFiles::kAccessLogs);
// Returns a hint if the site's rule drops parameters of addresses that may name articles, otherwise an empty text.
// Thread-safe.

// Returns true if there were lines, and none of them was understood in this import or in an earlier one. Thread-safe.
bool NoLineUnderstood(const ImportCounts& counts);

}  // namespace viewcount::cli
