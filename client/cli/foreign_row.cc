#include "client/cli/foreign_row.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "client/cli/line_reader.h"
#include "client/cli/log_text.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The part of an unknown header that is shown.
constexpr size_t kHeaderShownBytes = 300;

bool IsPageAddress(std::string_view text) {
  return text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace

FirstRows FirstRowsOf(std::string_view head) {
  if (head.starts_with(kUtf8Mark)) head.remove_prefix(kUtf8Mark.size());
  FirstRows rows;
  while (!head.empty() && rows.row.empty()) {
    const std::string_view line = Trim(TakeUntil(head, '\n'));
    (rows.header.empty() ? rows.header : rows.row) = line;
  }
  return rows;
}

absl::Status UnknownHeader(std::string_view header, std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("its header is not understood: ", absl::CHexEscape(ToAbsl(header.substr(0, kHeaderShownBytes))),
                   "; ", ToAbsl(expected)));
}

std::optional<uint64_t> WholeNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

AccessLogLine BadForeignLine(std::string problem) { return {.kind = LineKind::kBad, .problem = std::move(problem)}; }

AccessLogLine ForeignLine(LineKind kind) { return {.kind = kind}; }

AccessLogLine ForeignViews(const ArticleRule& rule, std::string_view article, int64_t unix_ms, uint64_t count) {
  if (count == 0) return ForeignLine(LineKind::kNoPage);
  if (count > kLineViewsMax) return BadForeignLine(absl::StrCat("has more than ", kLineViewsMax, " views"));
  if (unix_ms < 0 || unix_ms > limits::kEventTimeUnixMsMax) return BadForeignLine("its time is not of 1970 to 9999");
  AccessLogLine line{.kind = LineKind::kView, .event_time_unix_ms = std::max<int64_t>(unix_ms, 1), .count = count};
  if (!IsPageAddress(article)) {
    if (!IsArticleId(article)) return BadForeignLine(absl::StrCat("its article ", ToAbsl(kArticleIdRule)));
    line.article_id = article;
    return line;
  }
  auto named = rule.Name(article);
  if (!named.ok()) return BadForeignLine(absl::StrCat("no article: ", named.status().message()));
  if (named->is_static) return ForeignLine(LineKind::kNoPage);
  if (named->excluded) return ForeignLine(LineKind::kExcludedPath);
  line.article_id = std::move(named->article_id);
  line.dropped = std::move(named->dropped);
  return line;
}

AccessLogLine CsvLineParser::Parse(std::string_view line) {
  if (!header_seen_ || Trim(line).empty()) {
    Skip(line);
    return ForeignLine(LineKind::kBlank);
  }
  switch (rows_.Take(line)) {
    case CsvRows::Outcome::kMore:
      return ForeignLine(LineKind::kBlank);
    case CsvRows::Outcome::kBroken:
      return BadForeignLine("its quotes are not those of CSV");
    case CsvRows::Outcome::kRow:
      break;
  }
  if (rows_.cells().size() != columns_) {
    return BadForeignLine(absl::StrCat("has ", rows_.cells().size(), " cells, and its header ", columns_));
  }
  return ParseRow(rows_.cells());
}

void CsvLineParser::Skip(std::string_view line) {
  // A blank line may belong to a cell, but not to the header.
  if (header_seen_) {
    rows_.Take(line);
  } else if (!Trim(line).empty()) {
    header_seen_ = true;
  }
}

void CsvLineParser::Restart() {
  header_seen_ = false;
  rows_.Restart();
}

MakeFileParser ParserOf(ForeignFormat format, ForeignRules rules) {
  return
      [format, rules = std::move(rules)](const std::string& name, std::string_view head) -> absl::StatusOr<FileParser> {
        switch (format) {
          case ForeignFormat::kGoatCounter:
            return MakeGoatCounter(rules, head);
          case ForeignFormat::kPlausible:
            return MakePlausible(rules, head);
          case ForeignFormat::kWikimedia:
            break;
        }
        return MakeWikimedia(rules, name, head);
      };
}

}  // namespace viewcount::cli
