// Answers as tables for spreadsheets, and articles as rows of exported files. All functions are pure and thread-safe.
#pragma once

#include <string>

#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Returns a popular list as CSV with column names.
std::string PopularCsv(const v1::ListPopularResponse& list);
// Returns a series as CSV with column names. Moments have the offset of the site's time zone.
std::string SeriesCsv(const v1::GetSeriesResponse& series, const Site& site);

// The form of an exported row.
enum class ExportForm { kCsv, kJsonLines };
// Returns the names of the columns; empty for JSON lines. Without `of_all_time` there are views only: a span of time
// has no viewers and no views by bots.
std::string ExportHead(ExportForm form, bool of_all_time);
// Returns the row of an article, with its line end.
std::string ExportRow(const v1::ArticleCount& count, ExportForm form, bool of_all_time);

}  // namespace viewcount
