#include "service/query/csv_tables.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <string_view>

#include "service/base/csv.h"
#include "service/base/log.h"
#include "service/query/window.h"

namespace viewcount {

using google::protobuf::util::TimeUtil;

std::string PopularCsv(const v1::ListPopularResponse& list) {
  std::string text = "rank,previous_rank,views,article_id,title,section,url\n";
  for (const auto& article : list.articles()) {
    text += fmt::format("{},{},{},{},{},{},{}\n", article.rank(),
                        article.previous_rank() == 0 ? "" : std::to_string(article.previous_rank()), article.views(),
                        CsvCell(article.article_id()), CsvCell(article.title()),
                        article.sections().empty() ? "" : CsvCell(article.sections(0)), CsvCell(article.url()));
  }
  return text;
}

std::string SeriesCsv(const v1::GetSeriesResponse& series, const Site& site) {
  std::string text = "start,views\n";
  for (const auto& point : series.points()) {
    const std::string start = TimeText(TimeUtil::TimestampToMilliseconds(point.start()), site.zone);
    text += fmt::format("{},{}\n", start, point.views());
  }
  return text;
}

std::string ExportHead(ExportForm form, bool of_all_time) {
  if (form == ExportForm::kJsonLines) return "";
  return of_all_time ? "article_id,views,bot_views,viewers\n" : "article_id,views\n";
}

std::string ExportRow(const v1::ArticleCount& count, ExportForm form, bool of_all_time) {
  if (form == ExportForm::kCsv) {
    const std::string id = CsvCell(count.article_id());
    if (!of_all_time) return fmt::format("{},{}\n", id, count.views());
    return fmt::format("{},{},{},{}\n", id, count.views(), count.bot_views(), count.viewers());
  }
  const std::string id = EscapeForJson(count.article_id());
  if (!of_all_time) return fmt::format("{{\"articleId\":\"{}\",\"views\":{}}}\n", id, count.views());
  return fmt::format("{{\"articleId\":\"{}\",\"views\":{},\"botViews\":{},\"viewers\":{}}}\n", id, count.views(),
                     count.bot_views(), count.viewers());
}

}  // namespace viewcount
