// The files of other counters, from which views are imported. docs/importing.md says how each is exported.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/line_parser.h"
#include "service/addresses/article_rule.h"
#include "service/sites/day_zones.h"

namespace viewcount::cli {

enum class ForeignFormat : uint8_t {
  // The CSV export of GoatCounter, versions 1 and 2: a row for each view.
  kGoatCounter,
  // The hourly dumps of Wikimedia, pageviews-YYYYMMDD-HH0000: a line for each page.
  kWikimedia,
  // The file imported_pages_*.csv of Plausible's export: a row for each page and day.
  kPlausible,
};

// A plain value.
struct ForeignRules {
  ArticleRule article_rule;
  // The days of the site. A row that names a day is counted at its noon.
  DayZones days;
  // With Wikimedia: only lines with these domain codes, such as `en` and `en.m`, are views.
  std::vector<std::string> domains = {};
  // With Wikimedia: the text before a page's title in its article ID, such as `/wiki/`.
  std::string prefix = {};
};

// Returns a function that makes the parsers of files of a format. It copies the rules, and is thread-safe.
//
// It refuses a file whose header is not one of those that are understood, and the message shows the header. The header
// and the first row identify a file, or for Wikimedia its hour. Therefore an export that was made again later, and
// begins with the same rows, continues the import of the earlier one. The titles of GoatCounter's pages are no part of
// its rows here, because an export has the present title of each page.
MakeFileParser ParserOf(ForeignFormat format, ForeignRules rules);

}  // namespace viewcount::cli
