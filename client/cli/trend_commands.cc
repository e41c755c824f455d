// Implements the commands trending, rising and now.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/csv.h"
#include "client/cli/stop_request.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

using google::protobuf::util::TimeUtil;

// How often `now --watch` shows the list again.
constexpr std::chrono::seconds kWatchEvery{5};

// A number of an article, and its name in a table and in CSV.
struct NumberColumn {
  const char* head;
  const char* name;
  std::function<std::string(const v1::RankedArticle&)> text;
};

std::string Decimal(double value) { return fmt::format("{:.1f}", value); }

const NumberColumn kViews{"VIEWS", "views", [](const auto& article) { return Grouped(article.views()); }};
const NumberColumn kScore{"SCORE", "score", [](const auto& article) { return Decimal(article.score()); }};
const NumberColumn kUsual{"USUALLY", "usual_views", [](const auto& article) { return Decimal(article.usual_views()); }};

template <typename Response>
std::string Csv(const Response& response, const std::vector<NumberColumn>& columns) {
  std::string text = "rank";
  for (const NumberColumn& column : columns) text += fmt::format(",{}", column.name);
  text += ",article_id,title,section,url\n";
  for (const auto& article : response.articles()) {
    text += std::to_string(article.rank());
    for (const NumberColumn& column : columns) {
      std::string number = column.text(article);
      std::erase(number, ',');
      text += "," + number;
    }
    text += fmt::format(",{},{},{},{}\n", CsvCell(article.article_id()), CsvCell(article.title()),
                        article.sections().empty() ? "" : CsvCell(article.sections(0)), CsvCell(article.url()));
  }
  return text;
}

template <typename Response>
std::string TextOf(const Response& response, const std::vector<NumberColumn>& columns) {
  std::vector<Table::Column> heads = {{"RANK", Align::kRight}};
  for (const NumberColumn& column : columns) heads.push_back({column.head, Align::kRight});
  const bool titles = std::ranges::any_of(response.articles(), [](const auto& a) { return !a.title().empty(); });
  heads.push_back({"ARTICLE"});
  if (titles) heads.push_back({"TITLE"});
  Table table(heads);
  for (const auto& article : response.articles()) {
    std::vector<std::string> cells = {std::to_string(article.rank())};
    for (const NumberColumn& column : columns) cells.push_back(column.text(article));
    cells.push_back(article.article_id());
    if (titles) cells.push_back(article.title());
    table.Add(cells);
  }
  std::string text = table.Text();
  text += fmt::format("from {} to {}\n", TimeText(response.span().start()), TimeText(response.span().end()));
  if constexpr (requires { response.formula(); }) text += fmt::format("score: {}\n", response.formula());
  text += fmt::format("as of {}", TimeText(response.as_of()));
  if (!response.exact()) text += fmt::format(", not exact, by at most {}", response.error_bound());
  return text + "\n";
}

template <typename Response>
void Show(const Session& session, const Response& response, const std::vector<NumberColumn>& columns, bool csv) {
  if (session.options().json) return Print(JsonOf(response));
  Print(csv ? Csv(response, columns) : TextOf(response, columns));
}

absl::StatusOr<google::protobuf::Duration> Parsed(const char* option, const std::string& text) {
  const auto span = SpanOfTime(text);
  if (!span) return absl::InvalidArgumentError(fmt::format("{} must be a duration such as 15m or 6h", option));
  return TimeUtil::MillisecondsToDuration(span->count());
}

}  // namespace

absl::Status Run(Session& session, const TrendingCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::ListTrendingRequest request;
  request.set_site(*site);
  request.set_page_size(command.limit);
  if (!command.half_life.empty()) {
    const auto half_life = Parsed("--half-life", command.half_life);
    if (!half_life.ok()) return half_life.status();
    *request.mutable_half_life() = *half_life;
  }
  if (!command.last.empty()) {
    const auto last = Parsed("--last", command.last);
    if (!last.ok()) return last.status();
    *request.mutable_window()->mutable_last() = *last;
  }
  if (auto status = FillRestriction(command.only, request); !status.ok()) return status;
  const auto response = session.Call(session.query(), &v1::QueryService::Stub::ListTrending, request);
  if (!response.ok()) return response.status();
  return Show(session, *response, {kScore, kViews}, command.csv), absl::OkStatus();
}

absl::Status Run(Session& session, const RisingCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::ListRisingRequest request;
  request.set_site(*site);
  request.set_page_size(command.limit);
  if (!command.last.empty()) {
    const auto last = Parsed("--last", command.last);
    if (!last.ok()) return last.status();
    *request.mutable_window()->mutable_last() = *last;
  }
  if (auto status = FillRestriction(command.only, request); !status.ok()) return status;
  const auto response = session.Call(session.query(), &v1::QueryService::Stub::ListRising, request);
  if (!response.ok()) return response.status();
  return Show(session, *response, {kScore, kViews, kUsual}, command.csv), absl::OkStatus();
}

absl::Status Run(Session& session, const NowCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::ListNowRequest request;
  request.set_site(*site);
  request.set_page_size(command.limit);
  const auto last = Parsed("--last", command.last);
  if (!last.ok()) return last.status();
  *request.mutable_last() = *last;
  if (auto status = FillRestriction(command.only, request); !status.ok()) return status;
  const StopRequest stop([] {});
  const bool terminal = command.watch && !session.options().json && isatty(STDOUT_FILENO) == 1;
  do {
    const auto response = session.Call(session.query(), &v1::QueryService::Stub::ListNow, request);
    if (!response.ok()) {
      if (!command.watch || !absl::IsUnavailable(response.status())) return response.status();
      PrintError(fmt::format("{}; trying again", std::string(response.status().message())));
      continue;
    }
    // Moves the cursor to the top left corner and clears what is below it.
    if (terminal) Print("\x1b[H\x1b[J");
    Show(session, *response, {kViews}, command.csv);
  } while (command.watch && !stop.WaitFor(kWatchEvery));
  return absl::OkStatus();
}

}  // namespace viewcount::cli
