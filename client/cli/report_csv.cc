#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>

#include "client/cli/csv.h"
#include "client/cli/report_formats.h"
#include "client/cli/report_words.h"

namespace viewcount::cli {
namespace {

// A row. Empty cells are those that its kind does not have.
struct ReportRow {
  std::string_view kind;
  std::string start = {};
  std::string end = {};
  std::string rank = {};
  std::string name = {};
  std::string title = {};
  std::string section = {};
  std::string views = {};
  std::string share = {};
  std::string views_before = {};
  std::string rank_before = {};
};

std::string RowText(const ReportRow& row) {
  const std::array<std::string, 11> cells = {
      std::string(row.kind), CsvCell(row.start),   CsvCell(row.end), row.rank,  CsvCell(row.name),
      CsvCell(row.title),    CsvCell(row.section), row.views,        row.share, row.views_before,
      row.rank_before};
  return fmt::format("{}\n", fmt::join(cells, ","));
}

// Formats the cells of one report.
class CsvReport {
 public:
  explicit CsvReport(const Report& report) : report_(report) {}

  std::string Text() const {
    std::string text = "kind,start,end,rank,name,title,section,views,share,views_before,rank_before\n";
    text += RowText({.kind = "period",
                     .start = Time(report_.span.start),
                     .end = Time(report_.span.end),
                     .name = report_.site,
                     .title = report_.zone_name});
    if (report_.before) {
      text +=
          RowText({.kind = "period_before", .start = Time(report_.before->start), .end = Time(report_.before->end)});
    }
    text += RowText({.kind = "as_of", .start = Time(report_.as_of), .name = report_.exact ? "exact" : "not exact"});
    text += RowText(WithNumber({.kind = "total", .name = "views"}, report_.views));
    if (report_.visits) text += RowText(WithNumber({.kind = "total", .name = "visits"}, {.now = *report_.visits}));
    if (report_.viewers) text += RowText(WithNumber({.kind = "total", .name = "viewers"}, {.now = *report_.viewers}));
    for (const auto& point : report_.points) {
      text += RowText(
          {.kind = report_.by_hour ? "hour" : "day", .start = Time(point.start), .views = std::to_string(point.views)});
    }
    for (const ReportArticle& article : report_.articles) {
      ReportRow row{.kind = "article",
                    .rank = std::to_string(article.rank),
                    .name = article.id,
                    .title = article.title,
                    .section = article.section};
      if (article.rank_before > 0) row.rank_before = std::to_string(article.rank_before);
      text += RowText(WithShare(std::move(row), article.views));
    }
    for (const auto& label : report_.sums.sections) text += LabelRow("section", label);
    for (const auto& label : report_.sums.authors) text += LabelRow("author", label);
    for (const auto& note : ReportFormatter(report_, ReportLanguage::kEnglish).Notes()) {
      text += RowText({.kind = "note", .name = note});
    }
    return text;
  }

 private:
  std::string Time(absl::Time time) const { return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, report_.zone); }

  static ReportRow WithNumber(ReportRow row, const ReportNumber& number) {
    row.views = std::to_string(number.now);
    if (number.before) row.views_before = std::to_string(*number.before);
    return row;
  }
  ReportRow WithShare(ReportRow row, const ReportNumber& number) const {
    if (report_.views.now > 0) {
      row.share = fmt::format("{:.4f}", static_cast<double>(number.now) * 100 / static_cast<double>(report_.views.now));
    }
    return WithNumber(std::move(row), number);
  }
  std::string LabelRow(std::string_view kind, const ReportLabel& label) const {
    return RowText(WithShare({.kind = kind, .name = label.name}, label.views));
  }

  const Report& report_;
};

}  // namespace

std::string ReportCsv(const Report& report) { return CsvReport(report).Text(); }

}  // namespace viewcount::cli
