#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "client/cli/foreign_row.h"
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
  size_t bot;
  size_t date;
};
constexpr std::array<GoatCounterVersion, 2> kGoatCounterVersions = {{
    {.header = "1Path,Title,Event,Bot,Session,FirstVisit,Referrer,Referrer scheme,Browser,Screen size,Location,Date",
     .name = "goatcounter 1",
     .columns = 12,
     .event = 2,
     .bot = 3,
     .date = 11},
    {.header = "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,"
               "FirstVisit,Date",
     .name = "goatcounter 2",
     .columns = 14,
     .event = 2,
     .bot = 7,
     .date = 13},
}};

class GoatCounterParser final : public CsvLineParser {
 public:
  GoatCounterParser(const GoatCounterVersion& version, ArticleRule rule)
      : CsvLineParser(std::string(version.name), version.columns), version_(version), rule_(std::move(rule)) {}

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
  return FileParser{.parser = std::make_unique<GoatCounterParser>(*version, rules.article_rule),
                    .identity = absl::StrCat("goatcounter\n", ToAbsl(rows.header), "\n", ToAbsl(rows.row))};
}

}  // namespace viewcount::cli
