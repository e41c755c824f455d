#include "client/cli/counts_row.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "service/adjustments/transfer_limits.h"

namespace viewcount::cli {

void AddCount(v1::CountKind kind, uint32_t number, int64_t views, v1::CountRow& row) {
  if (views == 0) return;
  auto& count = *row.add_counts();
  count.set_kind(kind);
  count.set_number(number);
  count.set_views(views);
}

v1::CountRow RowOfPlain(const PlainRow& row) {
  v1::CountRow counts;
  counts.set_article_id(row.article_id);
  const auto views = static_cast<int64_t>(row.views);
  AddCount(v1::COUNT_KIND_ALL_TIME, 0, views, counts);
  if (row.day != 0) AddCount(v1::COUNT_KIND_DAY, row.day, views, counts);
  AddCount(v1::COUNT_KIND_BOTS, 0, static_cast<int64_t>(row.bot_views), counts);
  return counts;
}

absl::StatusOr<uint64_t> ParseCountNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = !text.empty() && end == text.data() + text.size() && text.front() != '-';
  if (error == std::errc::result_out_of_range || (digits && number > static_cast<uint64_t>(kImportViewsMax))) {
    return absl::InvalidArgumentError("must be at most 2^46, 70368744177664");
  }
  if (digits && error == std::errc()) return number;
  return absl::InvalidArgumentError(
      fmt::format("must be a whole number of digits only, not \"{}\"", text.substr(0, 40)));
}

}  // namespace viewcount::cli
