#include "service/base/csv.h"

#include <algorithm>

namespace viewcount {
namespace {

// The last four are the full-width forms, which some spreadsheets take for the others.
constexpr std::string_view kFormulaStarts[] = {"=", "+", "-", "@", "＝", "＋", "－", "＠"};
// The characters at which a spreadsheet may begin another cell, depending on its language and settings. A comma is not
// among them, because it is in quotes; these quotes mean nothing to a spreadsheet that splits elsewhere.
constexpr std::string_view kOtherSeparators = ";\t\r\n";

bool IsFormula(std::string_view text) {
  return std::ranges::any_of(kFormulaStarts, [text](std::string_view start) { return text.starts_with(start); });
}

// Returns the text with an apostrophe before everything that some spreadsheet could calculate.
std::string Inert(std::string_view text) {
  // A tab or a line end before a formula is removed by some spreadsheets, so it also begins one.
  std::string inert = text.find_first_of("\t\r\n") == 0 ? "'" : "";
  // Quotes after a separator are those of a cell. Blanks are removed by some spreadsheets.
  std::string_view skipped = " ";
  while (!text.empty()) {
    const size_t start = text.find_first_not_of(skipped);
    if (start != std::string_view::npos && IsFormula(text.substr(start))) inert += '\'';
    const size_t length = std::min(text.find_first_of(kOtherSeparators), text.size() - 1) + 1;
    inert.append(text.substr(0, length));
    text.remove_prefix(length);
    skipped = " \"";
  }
  return inert;
}

}  // namespace

std::string CsvCell(std::string_view text) {
  const std::string cell = Inert(text);
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string CsvText(std::string_view cell) {
  std::string text;
  std::string_view skipped = " ";
  while (!cell.empty()) {
    // An apostrophe was added where a formula would begin without it.
    if (cell.front() == '\'') {
      const std::string_view rest = cell.substr(1);
      const size_t start = rest.find_first_not_of(skipped);
      if (start != std::string_view::npos && IsFormula(rest.substr(start))) cell = rest;
    }
    const size_t length = std::min(cell.find_first_of(kOtherSeparators), cell.size() - 1) + 1;
    text.append(cell.substr(0, length));
    cell.remove_prefix(length);
    skipped = " \"";
  }
  return text;
}

}  // namespace viewcount
