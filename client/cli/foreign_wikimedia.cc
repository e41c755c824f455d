#include <absl/strings/str_cat.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "client/cli/foreign_row.h"
#include "client/cli/line_reader.h"
#include "client/cli/log_text.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// See https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews
constexpr std::string_view kDumpName = "pageviews-";
constexpr std::string_view kDumpMinutes = "0000";
constexpr char kDumpForm[] =
    "a dump's name must be pageviews-YYYYMMDD-HH0000, perhaps with .gz, because it names the hour";
// The name has the end of the hour. Its views are counted in the middle.
constexpr int64_t kBeforeEndMs = std::chrono::milliseconds(std::chrono::minutes(30)).count();
// A page without a title.
constexpr std::string_view kNoTitle = "-";

// The fields of a line: domain code, title, views, and the size of the responses.
using DumpFields = std::array<std::string_view, 4>;

// Returns whether a line has exactly these fields.
bool DumpFieldsOf(std::string_view line, DumpFields& fields) {
  if (std::ranges::count(line, ' ') != static_cast<std::ptrdiff_t>(fields.size()) - 1) return false;
  for (auto& field : fields) {
    field = TakeUntil(line, ' ');
    if (field.empty()) return false;
  }
  return WholeNumber(fields[2]) && WholeNumber(fields[3]);
}

// Returns the end of the hour that a file's name contains, Unix milliseconds.
absl::StatusOr<int64_t> EndOfDump(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto refused = [&] { return absl::InvalidArgumentError(kDumpForm); };
  if (!name.starts_with(kDumpName)) return refused();
  const std::string_view time = name.substr(kDumpName.size(), 15);
  if (time.size() != 15 || time[8] != '-' || time.substr(11) != kDumpMinutes) return refused();
  const auto date = WholeNumber(time.substr(0, 8)), hour = WholeNumber(time.substr(9, 2));
  if (!date || !hour || *hour > 23) return refused();
  const auto year = static_cast<int64_t>(*date / 10'000), month = static_cast<int64_t>(*date / 100 % 100),
             day = static_cast<int64_t>(*date % 100);
  const absl::CivilDay normal(year, month, day);
  if (year < 1971 || normal.month() != month || normal.day() != day) return refused();
  return absl::ToUnixMillis(
      absl::FromCivil(absl::CivilHour(normal) + static_cast<int64_t>(*hour), absl::UTCTimeZone()));
}

class WikimediaParser final : public LineParser {
 public:
  WikimediaParser(int64_t unix_ms, const ForeignRules& rules) : unix_ms_(unix_ms), rules_(rules) {}

  AccessLogLine Parse(std::string_view line) override {
    if (Trim(line).empty()) return ForeignLine(LineKind::kBlank);
    DumpFields fields;
    if (!DumpFieldsOf(line, fields)) return BadForeignLine("is not DOMAIN TITLE VIEWS BYTES");
    if (std::ranges::find(rules_.domains, fields[0]) == rules_.domains.end()) return ForeignLine(LineKind::kOtherHost);
    if (fields[1] == kNoTitle) return ForeignLine(LineKind::kNoPage);
    // A title is no address: it may contain ? and #.
    AccessLogLine views = ForeignViews(rules_.article_rule, "-", unix_ms_, *WholeNumber(fields[2]));
    if (views.kind != LineKind::kView) return views;
    views.article_id = absl::StrCat(rules_.prefix, ToAbsl(fields[1]));
    if (!IsArticleId(views.article_id)) return BadForeignLine(absl::StrCat("its title ", ToAbsl(kArticleIdRule)));
    return views;
  }
  void Skip(std::string_view) override {}
  void Restart() override {}
  std::string_view format() const override { return "wikimedia pageviews"; }

 private:
  const int64_t unix_ms_;
  const ForeignRules rules_;
};

}  // namespace

absl::StatusOr<FileParser> MakeWikimedia(const ForeignRules& rules, std::string_view name, std::string_view head) {
  const auto end = EndOfDump(name);
  if (!end.ok()) return end.status();
  const FirstRows rows = FirstRowsOf(head);
  DumpFields fields;
  if (!DumpFieldsOf(rows.header, fields)) {
    return UnknownHeader(rows.header, "understood are Wikimedia's hourly dumps since 2015: DOMAIN TITLE VIEWS BYTES");
  }
  return FileParser{.parser = std::make_unique<WikimediaParser>(*end - kBeforeEndMs, rules),
                    .identity = absl::StrCat("wikimedia pageviews\n", *end)};
}

}  // namespace viewcount::cli
