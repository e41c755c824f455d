// Puts the lines of a CSV file (RFC 4180) together to rows, because a cell in quotes may contain line ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount::cli {

// The maximum size of a row with several lines. A larger one is broken: a quote is missing.
inline constexpr size_t kCsvRowBytesMax = 256 << 10;

// Not thread-safe.
class CsvRows {
 public:
  enum class Outcome {
    // The row goes on in the next line.
    kMore,
    // cells() has the row.
    kRow,
    // No row begins before the next line.
    kBroken,
  };

  // Takes the next line, without its line end.
  Outcome Take(std::string_view line);
  // Returns true if Take returned kMore last.
  bool open() const { return !row_.empty(); }
  // Forgets the lines so far.
  void Restart() { row_.clear(); }

  // The cells of the row that Take returned, without their quotes. Valid until the next Take.
  const std::vector<std::string>& cells() const { return cells_; }

 private:
  std::string row_;
  std::vector<std::string> cells_;
};

}  // namespace viewcount::cli
