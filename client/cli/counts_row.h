// Turns what a line says into the counts that are added.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "viewcount/v1/transfer.pb.h"

namespace viewcount::cli {

// A row that has an article and its views of one day or of all time.
struct PlainRow {
  std::string article_id;
  uint64_t views = 0;
  uint64_t bot_views = 0;
  // The number of the day; 0 means all time.
  uint32_t day = 0;
};

// Returns the counts of the row. Views of a day are views of all time as well. Pure function; thread-safe.
v1::CountRow RowOfPlain(const PlainRow& row);

// Parses a number of views: digits without signs or separators, up to 2^46.
absl::StatusOr<uint64_t> ParseCountNumber(std::string_view text);

// Adds a count to a row, unless it is 0.
void AddCount(v1::CountKind kind, uint32_t number, int64_t views, v1::CountRow& row);

}  // namespace viewcount::cli
