#include "client/cli/import_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <utility>

#include "client/cli/output.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The number of paths that the hint names.
constexpr size_t kHintPathsMax = 5;

// Adds `number lines were what` to the report, if there are any.
void AddLines(uint64_t number, std::string_view what, std::string& text) {
  if (number == 0) return;
  text += fmt::format("; {} {} {}", Grouped(number), number == 1 ? "line was" : "lines were", what);
}

std::string Formats(const ImportSummary& summary) { return fmt::format("{}", fmt::join(summary.formats, ", ")); }

}  // namespace

std::string ImportReportText(const ImportSummary& summary) {
  const auto& counts = summary.counts;
  std::string text;
  if (counts.views + counts.bot_views == 0 && counts.imported_before_lines > 0) {
    text = "0 new views";
  } else {
    text = fmt::format("{} and {} of {} counted", Counted(counts.views, "view"), Counted(counts.bot_views, "bot view"),
                       Counted(summary.articles(), "article"));
  }
  AddLines(counts.imported_before_lines, "imported before", text);
  AddLines(counts.cool_down_lines, "left out by the cool-down", text);
  AddLines(counts.excluded_path_lines, "left out by path", text);
  AddLines(counts.excluded_address_lines, "from excluded addresses", text);
  AddLines(counts.other_host_lines, "of other hosts", text);
  const uint64_t no_page_lines = counts.no_page_lines + counts.blank_lines;
  text +=
      fmt::format("; {} no page views; {}", Grouped(no_page_lines) + (no_page_lines == 1 ? " line was" : " lines were"),
                  Counted(counts.bad_lines, "bad line"));
  if (!summary.formats.empty()) text += fmt::format("; format: {}", Formats(summary));
  return text + "\n";
}

bool NoLineUnderstood(const ImportCounts& counts) {
  return counts.bad_lines > 0 && counts.imported_before_lines == 0 && counts.understood_lines() == 0;
}

std::vector<std::string> ImportWarnings(const ImportSummary& summary, ImportedFiles files) {
  std::vector<std::string> warnings;
  const auto& counts = summary.counts;
  if (NoLineUnderstood(counts)) {
    std::string warning = "no line was understood, so nothing is counted";
    if (files == ImportedFiles::kAccessLogs) {
      warning += "; name the format with --format, for example by the log_format string of nginx";
    }
    warnings.push_back(std::move(warning));
  }
  if (summary.all_of_one_client()) {
    warnings.push_back(
        "all lines have one address, perhaps that of a proxy, so all viewers count as one; if the log has the "
        "visitors' "
        "addresses in another field, name the field with --client-field");
  }
  if (counts.unconfirmed_views > 0) {
    warnings.push_back(
        fmt::format("the acknowledgement of {} was lost; they are counted, unless the cool-down left "
                    "some of them out",
                    Counted(counts.unconfirmed_views, "view")));
  }
  return warnings;
}

std::string ImportReportJson(const ImportSummary& summary, std::string_view site, ImportedFiles files) {
  const auto& counts = summary.counts;
  std::string text = "{\n";
  const auto add = [&](std::string_view name, uint64_t value) { text += fmt::format(" \"{}\": {},\n", name, value); };
  add("views", counts.views);
  add("botViews", counts.bot_views);
  add("articles", summary.articles());
  add("lines", counts.lines);
  add("importedBeforeLines", counts.imported_before_lines);
  add("coolDownLines", counts.cool_down_lines);
  add("excludedPathLines", counts.excluded_path_lines);
  add("excludedAddressLines", counts.excluded_address_lines);
  add("otherHostLines", counts.other_host_lines);
  add("noPageViewLines", counts.no_page_lines + counts.blank_lines);
  add("badLines", counts.bad_lines);
  add("unconfirmedViews", counts.unconfirmed_views);
  const auto list = [](const auto& texts) {
    boost::json::array values;
    for (const auto& value : texts) values.emplace_back(value);
    return boost::json::serialize(values);
  };
  text += fmt::format(" \"formats\": {},\n", list(summary.formats));
  text += fmt::format(" \"warnings\": {},\n", list(ImportWarnings(summary, files)));
  boost::json::array paths;
  for (const auto& path : summary.dropped().Top(kHintPathsMax)) {
    boost::json::array names(path.names.begin(), path.names.end());
    paths.push_back(boost::json::object{{"path", path.path}, {"parameters", std::move(names)}});
  }
  text += fmt::format(" \"droppedParameters\": {},\n", boost::json::serialize(paths));
  text += fmt::format(" \"hint\": {}\n}}\n",
                      boost::json::serialize(boost::json::string(DroppedParametersHint(summary.dropped(), site))));
  return text;
}

}  // namespace viewcount::cli
