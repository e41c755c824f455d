// Reads a file of counts: a snapshot, or CSV or JSON lines with an article in each. Uses a fixed amount of memory.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/cli/byte_source.h"
#include "client/cli/counts_csv.h"
#include "client/cli/counts_item.h"
#include "client/cli/line_reader.h"
#include "service/base/hash.h"

namespace viewcount::cli {

// A file of counts. Not thread-safe.
class CountsFile {
 public:
  CountsFile(std::unique_ptr<ByteSource> source, CountsOptions options);

  // Reads the next item. Blank lines are left out, and so are the column names. Returns nothing at the end. An error of
  // a line names it; the next call goes on after it. An error of the whole file is FAILED_PRECONDITION or comes from
  // ByteSource: it cannot go on. Among the former are a snapshot without its last line, and a damaged compression.
  absl::StatusOr<std::optional<CountsItem>> Next();
  // Goes back to the first line.
  absl::Status Rewind();

  bool is_snapshot() const { return head_.has_value(); }
  // Returns the first line of a snapshot, once it was read.
  const std::optional<SnapshotHead>& head() const { return head_; }
  // Returns what was read so far.
  const SnapshotEnd& totals() const { return totals_; }
  // Returns a hash of all rows so far, 16 bytes. Spelling and line ends do not matter.
  std::string rows_hash() const;
  const ByteSource& source() const { return reader_.source(); }

 private:
  enum class Format { kUnknown, kCsv, kJson };

  // Parses a line. Returns nothing for a line that has no item.
  absl::StatusOr<std::optional<CountsItem>> Parse(std::string_view text);
  // Finds the format in the first line with text.
  absl::StatusOr<std::optional<CountsItem>> ParseFirst(std::string_view text);
  // Checks an item's place in the file, and counts it.
  absl::Status Count(const CountsItem& item);
  absl::Status CountRow(const v1::CountRow& row);
  // Checks what the service would refuse after it has other rows of the file.
  absl::Status CheckRow(const v1::CountRow& row) const;
  // Adds the views to the file's sums by kind.
  absl::Status AddToSums(const v1::CountRow& row);
  absl::Status CheckEnd() const;

  LineReader reader_;
  const CountsOptions options_;
  Format format_ = Format::kUnknown;
  std::optional<CountsColumns> columns_;
  std::optional<SnapshotHead> head_;
  bool ended_ = false;
  uint64_t line_ = 0;
  SnapshotEnd totals_;
  // The sums of all views without their signs, by kind.
  std::map<v1::CountKind, int64_t> sums_;
  XXH3_state_t hash_{};
};

}  // namespace viewcount::cli
