#include <fmt/format.h>

#include <algorithm>

#include "client/cli/bar.h"
#include "client/cli/output.h"
#include "client/cli/report_formats.h"
#include "client/cli/report_words.h"

namespace viewcount::cli {
namespace {

constexpr int kReportBarWidth = 40;

// Builds the text of one report.
class TextReport {
 public:
  TextReport(const Report& report, ReportLanguage language)
      : report_(report), format_(report, language), words_(format_.words()) {}

  std::string Text() const {
    return Head() + Totals() + Points() + Articles() +
           Labels(report_.sums.sections, words_.sections, words_.section, words_.no_section) +
           Labels(report_.sums.authors, words_.authors, words_.author, words_.no_author) + Notes();
  }

 private:
  using Columns = std::vector<Table::Column>;

  static Table::Column Left(std::string_view name) { return {std::string(name), Align::kLeft}; }
  static Table::Column Right(std::string_view name) { return {std::string(name), Align::kRight}; }
  static std::string Heading(std::string_view text) { return fmt::format("\n{}\n\n", text); }
  bool compares() const { return report_.before.has_value(); }

  std::string Head() const {
    return fmt::format("{}: {}\n{}: {}\n{}: {}\n{}: {}\n", words_.heading, OneLine(report_.site), words_.period,
                       format_.Span(report_.span), words_.time_zone, report_.zone_name, words_.as_of,
                       format_.Moment(report_.as_of));
  }

  std::string Totals() const {
    Columns columns = {Left(words_.number), Right(words_.now)};
    if (compares()) columns.insert(columns.end(), {Right(words_.before), Right(words_.change)});
    Table table(columns);
    const auto add = [&](std::string_view name, const ReportNumber& number) {
      std::vector<std::string> row = {std::string(name), format_.Number(number.now)};
      if (compares()) row.insert(row.end(), {format_.Before(number), format_.Change(number)});
      table.Add(row);
    };
    add(words_.views, report_.views);
    if (report_.visits) add(words_.visits, {.now = *report_.visits});
    if (report_.viewers) add(words_.viewers, {.now = *report_.viewers});
    return "\n" + table.Text();
  }

  std::string Points() const {
    uint64_t most = 0;
    for (const auto& point : report_.points) most = std::max(most, point.views);
    Table table({Left(words_.time), Right(words_.views), Left("")});
    for (const auto& point : report_.points) {
      table.Add({format_.Point(point.start), format_.Number(point.views), Bar(point.views, most, kReportBarWidth)});
    }
    return Heading(report_.by_hour ? words_.by_hour : words_.by_day) + table.Text();
  }

  std::string Articles() const {
    if (report_.articles.empty()) return Heading(words_.articles) + std::string(words_.no_articles) + "\n";
    Columns columns = {Right(words_.rank), Right(words_.views), Right(words_.share)};
    if (compares())
      columns.insert(columns.end(), {Right(words_.rank_before), Right(words_.before), Right(words_.change)});
    columns.insert(columns.end(), {Left(words_.section), Left(words_.title)});
    Table table(columns);
    for (const ReportArticle& article : report_.articles) {
      std::vector<std::string> row = {format_.Rank(article.rank), format_.Number(article.views.now),
                                      format_.Share(article.views.now)};
      if (compares()) {
        row.insert(row.end(),
                   {format_.Rank(article.rank_before), format_.Before(article.views), format_.Change(article.views)});
      }
      row.insert(row.end(), {article.section, article.title.empty() ? article.id : article.title});
      table.Add(row);
    }
    return Heading(words_.articles) + table.Text();
  }

  std::string Labels(const std::vector<ReportLabel>& labels, std::string_view heading, std::string_view noun,
                     std::string_view none) const {
    // A site without announced labels needs no table of them.
    if (labels.empty() || (labels.size() == 1 && labels[0].name.empty())) return "";
    Columns columns = {Right(words_.views), Right(words_.share)};
    if (compares()) columns.insert(columns.end(), {Right(words_.before), Right(words_.change)});
    columns.push_back(Left(noun));
    Table table(columns);
    for (const ReportLabel& label : labels) {
      std::vector<std::string> row = {format_.Number(label.views.now), format_.Share(label.views.now)};
      if (compares()) row.insert(row.end(), {format_.Before(label.views), format_.Change(label.views)});
      row.push_back(label.name.empty() ? std::string(none) : label.name);
      table.Add(row);
    }
    return Heading(heading) + table.Text();
  }

  std::string Notes() const {
    std::string text = "\n";
    for (const std::string& note : format_.Notes()) text += OneLine(note) + "\n";
    return text;
  }

  const Report& report_;
  const ReportFormatter format_;
  const ReportWords& words_;
};

}  // namespace

std::string ReportText(const Report& report, ReportLanguage language) { return TextReport(report, language).Text(); }

}  // namespace viewcount::cli
