#include "client/cli/counts_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "client/cli/counts_day.h"
#include "client/cli/counts_row.h"
#include "service/base/csv.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The number of cells of a line. A file of another kind may have many.
constexpr size_t kCellsMax = 100;

absl::Status BadCell(size_t column, std::string_view name, std::string_view problem) {
  return absl::InvalidArgumentError(fmt::format("column {} ({}): {}", column + 1, name, problem));
}

// Reads a cell in quotes, whose first quote was read, and moves `at` after its last one.
absl::StatusOr<std::string> QuotedCell(std::string_view line, size_t& at, size_t column) {
  std::string cell;
  while (at < line.size()) {
    const char c = line[at++];
    if (c != '"') {
      cell += c;
    } else if (at < line.size() && line[at] == '"') {
      cell += line[at++];
    } else {
      return cell;
    }
  }
  return absl::InvalidArgumentError(fmt::format("column {}: the quote at its beginning is never closed", column + 1));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitCsvLine(std::string_view line, char separator) {
  std::vector<std::string> cells;
  size_t at = 0;
  while (true) {
    if (cells.size() == kCellsMax) {
      return absl::InvalidArgumentError(
          fmt::format("column {}: there are more columns than {}", kCellsMax + 1, kCellsMax));
    }
    if (at < line.size() && line[at] == '"') {
      ++at;
      auto cell = QuotedCell(line, at, cells.size());
      if (!cell.ok()) return cell.status();
      if (at < line.size() && line[at] != separator) {
        return absl::InvalidArgumentError(fmt::format("column {}: text follows the closing quote", cells.size() + 1));
      }
      cells.push_back(*std::move(cell));
    } else {
      const size_t end = std::min(line.find(separator, at), line.size());
      cells.emplace_back(line.substr(at, end - at));
      at = end;
    }
    if (at == line.size()) return cells;
    ++at;
  }
}

absl::StatusOr<CountsColumns> CountsColumns::Parse(std::string_view line) {
  CountsColumns columns;
  for (const char separator : {',', ';', '\t'}) {
    if (line.find(separator) == std::string_view::npos) continue;
    columns.separator_ = separator;
    break;
  }
  auto names = SplitCsvLine(line, columns.separator_);
  if (!names.ok()) return names.status();
  columns.names_ = *std::move(names);
  std::optional<size_t> article_id, views, viewers;
  for (size_t i = 0; i < columns.names_.size(); ++i) {
    const std::string& name = columns.names_[i];
    std::optional<size_t>* column = name == "article_id"  ? &article_id
                                    : name == "views"     ? &views
                                    : name == "day"       ? &columns.day_
                                    : name == "bot_views" ? &columns.bot_views_
                                    : name == "viewers"   ? &viewers
                                                          : nullptr;
    if (column == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("column {}: \"{}\" is not known; the first line names the columns: "
                      "article_id, views, and perhaps day, bot_views and viewers",
                      i + 1, name.substr(0, 40)));
    }
    if (column->has_value())
      return absl::InvalidArgumentError(fmt::format("column {}: {} is there twice", i + 1, name));
    *column = i;
  }
  if (!article_id) return absl::InvalidArgumentError("there is no column article_id");
  if (!views) return absl::InvalidArgumentError("there is no column views");
  columns.article_id_ = *article_id;
  columns.views_ = *views;
  return columns;
}

absl::StatusOr<v1::CountRow> CountsColumns::RowOf(std::string_view line, const CountsOptions& options) const {
  const auto cells = SplitCsvLine(line, separator_);
  if (!cells.ok()) return cells.status();
  if (cells->size() != names_.size()) {
    return absl::InvalidArgumentError(fmt::format("column {}: there are {} columns instead of {}",
                                                  std::min(cells->size(), names_.size()) + 1, cells->size(),
                                                  names_.size()));
  }
  PlainRow row{.day = options.day};
  row.article_id = CsvText((*cells)[article_id_]);
  if (!IsArticleId(row.article_id)) return BadCell(article_id_, "article_id", kArticleIdRule);
  for (const auto& [name, column, number] :
       {std::tuple<const char*, std::optional<size_t>, uint64_t*>("views", views_, &row.views),
        {"bot_views", bot_views_, &row.bot_views}}) {
    if (!column) continue;
    const auto parsed = ParseCountNumber((*cells)[*column]);
    if (!parsed.ok()) return BadCell(*column, name, ToStd(parsed.status().message()));
    *number = *parsed;
  }
  if (day_) {
    const auto day = ParseCountsDay((*cells)[*day_]);
    if (!day) return BadCell(*day_, "day", "must be a day such as 2026-11-22");
    row.day = *day;
  }
  return RowOfPlain(row);
}

}  // namespace viewcount::cli
