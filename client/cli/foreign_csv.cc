#include "client/cli/foreign_csv.h"

#include <optional>

namespace viewcount::cli {
namespace {

// Returns whether the row ends within a cell in quotes, so that its next line belongs to it.
bool EndsInQuotes(std::string_view row) {
  bool quoted = false;
  for (const char c : row) quoted ^= c == '"';
  return quoted;
}

// Returns nothing if a text follows a closing quote.
std::optional<std::vector<std::string>> CellsOf(std::string_view row) {
  std::vector<std::string> cells(1);
  size_t at = 0;
  while (at < row.size()) {
    if (row[at] == ',') {
      cells.emplace_back();
      ++at;
    } else if (row[at] != '"') {
      const size_t end = std::min(row.find(',', at), row.size());
      cells.back() = row.substr(at, end - at);
      at = end;
    } else {
      for (++at; at < row.size(); ++at) {
        if (row[at] != '"') {
          cells.back() += row[at];
        } else if (at + 1 < row.size() && row[at + 1] == '"') {
          cells.back() += row[at++];
        } else {
          break;
        }
      }
      ++at;
      if (at < row.size() && row[at] != ',') return std::nullopt;
    }
  }
  return cells;
}

}  // namespace

CsvRows::Outcome CsvRows::Take(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (!row_.empty()) row_ += '\n';
  row_ += line;
  if (row_.size() > kCsvRowBytesMax) {
    row_.clear();
    return Outcome::kBroken;
  }
  if (EndsInQuotes(row_)) return Outcome::kMore;
  auto cells = CellsOf(row_);
  row_.clear();
  if (!cells) return Outcome::kBroken;
  cells_ = *std::move(cells);
  return Outcome::kRow;
}

}  // namespace viewcount::cli
