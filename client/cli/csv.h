// Texts in exported files.
#pragma once

#include <string>
#include <string_view>

namespace viewcount::cli {

// Returns the text as a cell of a CSV file (RFC 4180), in quotes if it contains a comma, a quote or a line end.
// Spreadsheets calculate a cell that begins with =, +, - or @, or with a tab or carriage return before them. Such a
// text gets an apostrophe in front, which spreadsheets do not show. Pure function; thread-safe.
std::string CsvCell(std::string_view text);

// Returns the text as a JSON string, with its quotes. Requires UTF-8. Pure function; thread-safe.
std::string JsonText(std::string_view text);

}  // namespace viewcount::cli
