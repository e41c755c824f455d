// Texts in CSV files.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// Returns the text as a cell of a CSV file (RFC 4180), in quotes if it contains a comma, a quote or a line end.
//
// Spreadsheets calculate a cell that begins with =, +, - or @, or with their full-width forms, also after blanks, a tab
// or a line end. A spreadsheet may split the file at semicolons or tabs instead of commas, so a cell may begin in the
// middle of a text. Each such beginning gets an apostrophe in front
// (https://owasp.org/www-community/attacks/CSV_Injection). All other texts stay as they are. Pure function;
// thread-safe.
std::string CsvCell(std::string_view text);

// Returns the text for which CsvCell made a cell. `cell` is without its quotes. A text that has such an apostrophe
// itself loses it: CSV cannot tell the two apart. Pure function; thread-safe.
std::string CsvText(std::string_view cell);

}  // namespace viewcount
