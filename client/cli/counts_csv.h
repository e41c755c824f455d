// Reads the lines of CSV files with counts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/counts_item.h"

namespace viewcount::cli {

// Divides a line (RFC 4180) into cells, without their quotes. Errors name the column.
absl::StatusOr<std::vector<std::string>> SplitCsvLine(std::string_view line, char separator);

// The columns of a file, found in its first line. A value type.
class CountsColumns {
 public:
  // Parses the first line: the names article_id and views, and perhaps day, bot_views and viewers, in any order. They
  // may be separated by commas, semicolons or tabs. Errors say which name is missing or unknown.
  static absl::StatusOr<CountsColumns> Parse(std::string_view line);

  // Parses a further line. Estimated viewers are left out. Errors name the column.
  absl::StatusOr<v1::CountRow> RowOf(std::string_view line, const CountsOptions& options) const;
  bool has_day() const { return day_.has_value(); }

 private:
  char separator_ = ',';
  std::vector<std::string> names_;
  size_t article_id_ = 0;
  size_t views_ = 0;
  std::optional<size_t> day_;
  std::optional<size_t> bot_views_;
};

}  // namespace viewcount::cli
