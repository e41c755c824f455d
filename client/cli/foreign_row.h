// The parts that the formats of other counters have in common. Pure functions; thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/foreign_csv.h"
#include "client/cli/foreign_format.h"

namespace viewcount::cli {

// The first line of a file that is not blank, and the one after it. Without byte order mark and line ends.
struct FirstRows {
  std::string_view header;
  std::string_view row;
};
FirstRows FirstRowsOf(std::string_view head);

// Returns the error for a file with another header.
absl::Status UnknownHeader(std::string_view header, std::string_view expected);

// Returns the number that the text consists of, or nothing.
std::optional<uint64_t> WholeNumber(std::string_view text);

AccessLogLine BadForeignLine(std::string problem);
// Returns a line that stands for no views.
AccessLogLine ForeignLine(LineKind kind);
// Returns the line for `count` views at a time. An address is named by the rule, any other text is an article ID.
AccessLogLine ForeignViews(const ArticleRule& rule, std::string_view article, int64_t unix_ms, uint64_t count);

// A CSV file with a header. Not thread-safe.
class CsvLineParser : public LineParser {
 public:
  CsvLineParser(std::string format, size_t columns) : format_(std::move(format)), columns_(columns) {}

  AccessLogLine Parse(std::string_view line) final;
  void Skip(std::string_view line) final;
  void PassTooLong() override { rows_.Restart(); }
  bool row_is_open() const final { return rows_.open(); }
  void Restart() override;
  std::string_view format() const final { return format_; }

 protected:
  // `cells` has one cell for each column.
  virtual AccessLogLine ParseRow(const std::vector<std::string>& cells) = 0;

 private:
  const std::string format_;
  const size_t columns_;
  CsvRows rows_;
  bool header_seen_ = false;
};

// Make the parser of one file. They return UnknownHeader.
absl::StatusOr<FileParser> MakeGoatCounter(const ForeignRules& rules, std::string_view head);
absl::StatusOr<FileParser> MakePlausible(const ForeignRules& rules, std::string_view head);
absl::StatusOr<FileParser> MakeWikimedia(const ForeignRules& rules, std::string_view name, std::string_view head);

}  // namespace viewcount::cli
