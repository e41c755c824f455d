#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "client/cli/feed_entry.h"
#include "client/cli/report_chart.h"
#include "client/cli/report_formats.h"
#include "client/cli/report_words.h"
#include "service/web/svg_text.h"

namespace viewcount::cli {
namespace {

constexpr std::string_view kStyle = R"(
@page { size: A4; margin: 18mm 15mm; }
body { font: 11pt/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: #222; background: #fff;
  max-width: 180mm; margin: 0 auto; padding: 8mm 4mm; }
h1 { font-size: 20pt; margin: 0 0 2mm; }
h2 { font-size: 13pt; margin: 8mm 0 2mm; break-after: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 10pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { padding: 1mm 2mm; text-align: left; vertical-align: top; border-bottom: .2mm solid #ccc; }
td { overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th.n { white-space: normal; }
.points { columns: 3; column-gap: 8mm; }
.totals { width: auto; min-width: 50%; margin-top: 6mm; }
svg { width: 100%; height: auto; break-inside: avoid; }
svg rect { fill: #1f5fa8; }
svg line { stroke: #ddd; stroke-width: 1; }
svg text { font-size: 11px; fill: #555; }
a { color: inherit; text-decoration-color: #bbb; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 4mm; margin: 0; }
dt { color: #555; }
dd { margin: 0; }
footer { margin-top: 8mm; font-size: 9pt; color: #555; }
@media print { body { padding: 0; max-width: none; } a { text-decoration: none; } }
)";

// Builds the page of one report. Cells of rows are HTML already.
class HtmlReport {
 public:
  HtmlReport(const Report& report, ReportLanguage language)
      : report_(report), format_(report, language), words_(format_.words()) {}

  std::string Text() const {
    const std::string title =
        EscapedXml(fmt::format("{}: {}, {}", words_.heading, report_.site, format_.Span(report_.span)));
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}{}{}{}{}{}{}</body>\n</html>\n",
        words_.language, title, kStyle, Head(), Totals(), Points(), Articles(),
        Labels(report_.sums.sections, words_.sections, words_.section, words_.no_section),
        Labels(report_.sums.authors, words_.authors, words_.author, words_.no_author), Notes());
  }

 private:
  struct Cell {
    std::string html;
    bool is_number = false;
  };
  using Row = std::vector<Cell>;

  static Cell Text(std::string_view text) { return {EscapedXml(text), false}; }
  static Cell Number(std::string_view text) { return {EscapedXml(text), true}; }
  bool compares() const { return report_.before.has_value(); }

  static std::string RowHtml(const Row& row, std::string_view element) {
    std::string html = "<tr>";
    for (const Cell& cell : row) {
      html += fmt::format("<{}{}>{}</{}>", element, cell.is_number ? " class=\"n\"" : "", cell.html, element);
    }
    return html + "</tr>\n";
  }
  static std::string TableHtml(const Row& head, const std::vector<Row>& rows, std::string_view type = "") {
    std::string html = fmt::format("<table{}>\n<thead>{}</thead>\n<tbody>\n",
                                   type.empty() ? "" : fmt::format(" class=\"{}\"", type), RowHtml(head, "th"));
    for (const Row& row : rows) html += RowHtml(row, "td");
    return html + "</tbody>\n</table>\n";
  }
  static std::string Heading(std::string_view text) { return fmt::format("<h2>{}</h2>\n", EscapedXml(text)); }

  std::string Head() const {
    const auto item = [](std::string_view name, std::string_view value) {
      return fmt::format("<dt>{}</dt><dd>{}</dd>\n", EscapedXml(name), EscapedXml(value));
    };
    return fmt::format("<h1>{}</h1>\n<dl>\n{}{}{}{}</dl>\n", EscapedXml(words_.heading),
                       item(words_.site, report_.site), item(words_.period, format_.Span(report_.span)),
                       item(words_.time_zone, report_.zone_name), item(words_.as_of, format_.Moment(report_.as_of)));
  }

  void AddComparison(const ReportNumber& number, Row& row) const {
    if (!compares()) return;
    row.push_back(Number(format_.Before(number)));
    row.push_back(Number(format_.Change(number)));
  }
  void AddComparisonHead(Row& row) const {
    if (!compares()) return;
    row.push_back(Number(words_.before));
    row.push_back(Number(words_.change));
  }

  std::string Totals() const {
    Row head = {Text(words_.number), Number(words_.now)};
    AddComparisonHead(head);
    std::vector<Row> rows;
    const auto add = [&](std::string_view name, const ReportNumber& number) {
      Row row = {Text(name), Number(format_.Number(number.now))};
      AddComparison(number, row);
      rows.push_back(std::move(row));
    };
    add(words_.views, report_.views);
    if (report_.visits) add(words_.visits, {.now = *report_.visits});
    if (report_.viewers) add(words_.viewers, {.now = *report_.viewers});
    return TableHtml(head, rows, "totals");
  }

  std::string Points() const {
    std::vector<Row> rows;
    for (const auto& point : report_.points) {
      rows.push_back({Text(format_.Point(point.start)), Number(format_.Number(point.views))});
    }
    return Heading(report_.by_hour ? words_.by_hour : words_.by_day) + ReportChart(report_, format_) +
           "<div class=\"points\">\n" + TableHtml({Text(words_.time), Number(words_.views)}, rows) + "</div>\n";
  }

  // A link to the article, if its address is one that a browser may safely open.
  static Cell TitleOf(const ReportArticle& article) {
    const std::string text = EscapedXml(article.title.empty() ? article.id : article.title);
    return {IsWebAddress(article.url)
                ? fmt::format("<a href=\"{}\" rel=\"noreferrer\">{}</a>", EscapedXml(article.url), text)
                : text};
  }

  std::string Articles() const {
    if (report_.articles.empty()) return Heading(words_.articles) + fmt::format("<p>{}</p>\n", words_.no_articles);
    Row head = {Number(words_.rank), Text(words_.title), Text(words_.section), Number(words_.views),
                Number(words_.share)};
    if (compares()) head.push_back(Number(words_.rank_before));
    AddComparisonHead(head);
    std::vector<Row> rows;
    for (const ReportArticle& article : report_.articles) {
      Row row = {Number(format_.Rank(article.rank)), TitleOf(article), Text(article.section),
                 Number(format_.Number(article.views.now)), Number(format_.Share(article.views.now))};
      if (compares()) row.push_back(Number(format_.Rank(article.rank_before)));
      AddComparison(article.views, row);
      rows.push_back(std::move(row));
    }
    return Heading(words_.articles) + TableHtml(head, rows);
  }

  std::string Labels(const std::vector<ReportLabel>& labels, std::string_view heading, std::string_view noun,
                     std::string_view none) const {
    // A site without announced labels needs no table of them.
    if (labels.empty() || (labels.size() == 1 && labels[0].name.empty())) return "";
    Row head = {Text(noun), Number(words_.views), Number(words_.share)};
    AddComparisonHead(head);
    std::vector<Row> rows;
    for (const ReportLabel& label : labels) {
      Row row = {Text(label.name.empty() ? none : label.name), Number(format_.Number(label.views.now)),
                 Number(format_.Share(label.views.now))};
      AddComparison(label.views, row);
      rows.push_back(std::move(row));
    }
    return Heading(heading) + TableHtml(head, rows);
  }

  std::string Notes() const {
    std::string html = "<footer>\n";
    for (const std::string& note : format_.Notes()) html += fmt::format("<p>{}</p>\n", EscapedXml(note));
    return html + "</footer>\n";
  }

  const Report& report_;
  const ReportFormatter format_;
  const ReportWords& words_;
};

}  // namespace

std::string ReportHtml(const Report& report, ReportLanguage language) { return HtmlReport(report, language).Text(); }

}  // namespace viewcount::cli
