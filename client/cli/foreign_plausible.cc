#include <absl/strings/str_cat.h>
#include <absl/time/civil_time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "client/cli/foreign_row.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// The columns of all versions so far. See https://github.com/plausible/analytics, lib/plausible/exports.ex
// Rows are grouped by date and page, and the hostname is that of any of their views. So it is not used.
constexpr std::array<std::string_view, 12> kPlausibleColumns = {"date",
                                                                "hostname",
                                                                "page",
                                                                "visits",
                                                                "visitors",
                                                                "pageviews",
                                                                "exits",
                                                                "time_on_page",
                                                                "total_scroll_depth",
                                                                "total_scroll_depth_visits",
                                                                "total_time_on_page",
                                                                "total_time_on_page_visits"};
constexpr char kPlausibleExpected[] =
    "understood is imported_pages_*.csv of Plausible's export, with the columns date, page and pageviews and no "
    "unknown "
    "ones";
constexpr int64_t kNoonMs = std::chrono::milliseconds(std::chrono::hours(12)).count();

// The places of the columns that are used.
struct PlausibleColumns {
  size_t columns = 0;
  size_t date = 0;
  size_t page = 0;
  size_t pageviews = 0;
};

absl::StatusOr<PlausibleColumns> ColumnsOf(std::string_view header) {
  CsvRows rows;
  const bool is_row = rows.Take(header) == CsvRows::Outcome::kRow;
  if (!is_row) return UnknownHeader(header, kPlausibleExpected);
  const auto& names = rows.cells();
  for (const std::string& name : names) {
    const bool known = std::ranges::find(kPlausibleColumns, name) != kPlausibleColumns.end();
    if (!known || std::ranges::count(names, name) != 1) return UnknownHeader(header, kPlausibleExpected);
  }
  const auto place = [&](std::string_view name) {
    return static_cast<size_t>(std::ranges::find(names, name) - names.begin());
  };
  const PlausibleColumns columns{
      .columns = names.size(), .date = place("date"), .page = place("page"), .pageviews = place("pageviews")};
  if (std::max({columns.date, columns.page, columns.pageviews}) >= names.size()) {
    return UnknownHeader(header, kPlausibleExpected);
  }
  return columns;
}

class PlausibleParser final : public CsvLineParser {
 public:
  PlausibleParser(const PlausibleColumns& columns, const ForeignRules& rules)
      : CsvLineParser("plausible", columns.columns), columns_(columns), rules_(rules) {}

 protected:
  AccessLogLine ParseRow(const std::vector<std::string>& cells) override {
    absl::CivilDay day;
    const std::string& date = cells[columns_.date];
    const bool is_day = date.size() == 10 && absl::ParseCivilTime(date, &day) && day.year() >= 1970;
    if (!is_day) return BadForeignLine("its date is no day as YYYY-MM-DD");
    const auto views = WholeNumber(cells[columns_.pageviews]);
    if (!views) return BadForeignLine("its pageviews is no number");
    const int64_t noon = rules_.days.StartOf(day) + kNoonMs;
    if (rules_.days.DayAt(noon) != day) return BadForeignLine("its date is a day that the site's time zone left out");
    return ForeignViews(rules_.article_rule, cells[columns_.page], noon, *views);
  }

 private:
  const PlausibleColumns columns_;
  const ForeignRules rules_;
};

}  // namespace

absl::StatusOr<FileParser> MakePlausible(const ForeignRules& rules, std::string_view head) {
  const FirstRows rows = FirstRowsOf(head);
  const auto columns = ColumnsOf(rows.header);
  if (!columns.ok()) return columns.status();
  return FileParser{.parser = std::make_unique<PlausibleParser>(*columns, rules),
                    .identity = absl::StrCat("plausible\n", ToAbsl(rows.header), "\n", ToAbsl(rows.row))};
}

}  // namespace viewcount::cli
