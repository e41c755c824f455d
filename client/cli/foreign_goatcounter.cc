#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/foreign_csv.h"
#include "client/cli/foreign_row.h"
#include "client/cli/log_text.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// A version of the export. The header's first cell begins with its number.
// See https://github.com/arp242/goatcounter/blob/master/export.go
struct GoatCounterVersion {
  std::string_view header;
  std::string_view name;
  size_t columns;
  size_t event;
  size_t session;
  size_t bot;
  size_t date;
};
constexpr std::array<GoatCounterVersion, 2> kGoatCounterVersions = {{
    {.header = "1Path,Title,Event,Bot,Session,FirstVisit,Referrer,Referrer scheme,Browser,Screen size,Location,Date",
     .name = "goatcounter 1",
     .columns = 12,
     .event = 2,
     .session = 4,
     .bot = 3,
     .date = 11},
    {.header = "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,"
               "FirstVisit,Date",
     .name = "goatcounter 2",
     .columns = 14,
     .event = 2,
     .session = 6,
     .bot = 7,
     .date = 13},
}};

// Returns the cells that an export made later has as well. A title is the present one of its page, also in old rows,
// and names of browsers and places may be corrected.
std::string LastingCells(const GoatCounterVersion& version, const std::vector<std::string>& cells) {
  if (cells.size() != version.columns) return absl::StrJoin(cells, "\n");
  return absl::StrJoin(
      {std::string_view(cells[0]), std::string_view(cells[version.event]), std::string_view(cells[version.session]),
       std::string_view(cells[version.bot]), std::string_view(cells[version.date])},
      "\n", [](std::string* out, std::string_view cell) { out->append(cell); });
}

// Returns the lasting cells of the first row after the header, or an empty text if the head has no whole row.
std::string FirstLastingCells(const GoatCounterVersion& version, std::string_view head) {
  const std::string_view row = FirstRowsOf(head).row;
  if (row.empty()) return "";
  head.remove_prefix(static_cast<size_t>(row.data() - head.data()));
  CsvRows rows;
  while (!head.empty()) {
    const auto outcome = rows.Take(TakeUntil(head, '\n'));
    if (outcome == CsvRows::Outcome::kRow) return LastingCells(version, rows.cells());
    if (outcome == CsvRows::Outcome::kBroken) break;
  }
  return "";
}

class GoatCounterParser final : public CsvLineParser {
 public:
  GoatCounterParser(const GoatCounterVersion& version, ArticleRule rule)
      : CsvLineParser(std::string(version.name), version.columns), version_(version), rule_(std::move(rule)) {}

  // The last line of a row stands for all of the row. The others stand for nothing, because they are a title's.
  std::string_view IdentityOf(std::string_view line) override {
    const auto outcome = lasting_rows_.Take(line);
    if (outcome == CsvRows::Outcome::kBroken) return line;
    lasting_ = outcome == CsvRows::Outcome::kRow ? LastingCells(version_, lasting_rows_.cells()) : "";
    return lasting_;
  }
  void PassTooLong() override {
    CsvLineParser::PassTooLong();
    lasting_rows_.Restart();
  }
  void Restart() override {
    CsvLineParser::Restart();
    lasting_rows_.Restart();
  }

 protected:
  AccessLogLine ParseRow(const std::vector<std::string>& cells) override {
    // Databases write them in different ways, and version 2 exports what its database writes.
    const std::string& event = cells[version_.event];
    if (event == "true" || event == "t" || event == "1") return ForeignLine(LineKind::kNoPage);
    if (event != "false" && event != "f" && event != "0") return BadForeignLine("its Event is neither true nor false");
    const auto bot = WholeNumber(cells[version_.bot]);
    if (!bot) return BadForeignLine("its Bot is no number");
    absl::Time time;
    if (!absl::ParseTime(absl::RFC3339_full, cells[version_.date], &time, nullptr)) {
      return BadForeignLine("its Date is no time such as 2026-11-30T13:05:00Z");
    }
    auto line = ForeignViews(rule_, cells[0], absl::ToUnixMillis(time), 1);
    if (line.kind == LineKind::kView && *bot != 0) line.kind = LineKind::kBotView;
    return line;
  }

 private:
  const GoatCounterVersion version_;
  const ArticleRule rule_;
  // The rows by which the file is recognised. They are read before the same lines are parsed.
  CsvRows lasting_rows_;
  std::string lasting_;
};

}  // namespace

absl::StatusOr<FileParser> MakeGoatCounter(const ForeignRules& rules, std::string_view head) {
  const FirstRows rows = FirstRowsOf(head);
  const auto version = std::ranges::find(kGoatCounterVersions, rows.header, &GoatCounterVersion::header);
  if (version == kGoatCounterVersions.end()) {
    return UnknownHeader(
        rows.header,
        "understood are versions 1 and 2 of GoatCounter's CSV export, which begin with 1Path,Title and "
        "2Path,Title; its JSON export is not");
  }
  return FileParser{
      .parser = std::make_unique<GoatCounterParser>(*version, rules.article_rule),
      .identity = absl::StrCat("goatcounter\n", ToAbsl(rows.header), "\n", FirstLastingCells(*version, head))};
}

}  // namespace viewcount::cli
