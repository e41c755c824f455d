// Implements the commands record, count and top.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>
#include <vector>

#include "client/cli/bar.h"
#include "client/cli/commands.h"
#include "client/cli/whole_list.h"
#include "service/base/limits.h"
#include "service/base/text.h"
#include "service/query/csv_tables.h"

namespace viewcount::cli {
namespace {

// The longest list that --spark is for, since each article takes a call. The longest window of which hours are shown.
constexpr uint32_t kSparkRowsMax = 50;
constexpr int64_t kSparkHoursMax = 48;
constexpr size_t kSparkWidth = 31;

std::string DurabilityText(v1::Durability durability) {
  switch (durability) {
    case v1::DURABILITY_MEMORY:
      return "in the service's memory";
    case v1::DURABILITY_JOURNALED:
      return "on the service's disk";
    case v1::DURABILITY_STORED:
      return "in Redis";
    default:
      return "acknowledged";
  }
}

// Returns the line below an answer's table.
template <typename Response>
std::string AsOf(const Response& response) {
  return fmt::format("as of {}{}\n", TimeText(response.as_of()), response.exact() ? "" : ", not exact");
}

// Combines `exact` and `as_of` of the next answer with those of all answers so far. The oldest time applies, and the
// result is exact only if every answer is.
template <typename Response>
void MergeAge(const Response& next, bool first, Response& all) {
  using google::protobuf::util::TimeUtil;
  all.set_exact(next.exact() && (first || all.exact()));
  if (first || TimeUtil::TimestampToNanoseconds(next.as_of()) < TimeUtil::TimestampToNanoseconds(all.as_of())) {
    *all.mutable_as_of() = next.as_of();
  }
}

absl::StatusOr<v1::GetCountsResponse> GetCounts(Session& session, const std::string& site,
                                                const CountCommand& command) {
  const auto& articles = command.articles;
  v1::GetCountsResponse all;
  for (size_t from = 0; from < articles.size(); from += limits::kGetCountsArticlesMax) {
    const size_t to = std::min(from + limits::kGetCountsArticlesMax, articles.size());
    v1::GetCountsRequest request;
    request.set_site(site);
    for (size_t i = from; i < to; ++i) {
      command.by_address ? request.add_addresses(articles[i]) : request.add_article_ids(articles[i]);
    }
    const auto response = session.Call(session.query(), &v1::QueryService::Stub::GetCounts, request);
    if (!response.ok()) return response.status();
    MergeAge(*response, from == 0, all);
    all.mutable_counts()->MergeFrom(response->counts());
  }
  return all;
}

absl::StatusOr<v1::ListPopularResponse> ListPopular(Session& session, const std::string& site,
                                                    const TopCommand& command) {
  v1::ListPopularRequest request;
  request.set_site(site);
  request.mutable_window()->set_all_time(true);
  if (auto status = FillWindow(command.window, *request.mutable_window()); !status.ok()) return status;
  request.set_exact_required(command.exact);
  request.set_with_previous_rank(command.previous);
  if (auto status = FillRestriction(command.only, request); !status.ok()) return status;
  v1::ListPopularResponse all;
  for (bool first = true; first || !request.page_token().empty(); first = false) {
    const auto missing = command.limit - static_cast<uint32_t>(all.articles_size());
    request.set_page_size(std::min(missing, limits::kPageSizeMax));
    auto response = session.Call(session.query(), &v1::QueryService::Stub::ListPopular, request);
    if (!response.ok()) return response.status();
    MergeAge(*response, first, all);
    all.set_error_bound(std::max(all.error_bound(), response->error_bound()));
    if (response->has_span()) *all.mutable_span() = response->span();
    all.mutable_articles()->MergeFrom(response->articles());
    all.set_next_page_token(response->next_page_token());
    // An empty page ends the list as well. Otherwise a service that returns a token with every empty page would cause
    // an endless loop.
    if (all.articles_size() >= static_cast<int>(command.limit) || response->articles().empty()) break;
    request.set_page_token(response->next_page_token());
  }
  all.set_exact(all.exact() && IsOneList(all.articles()));
  return all;
}

absl::Status CheckSpark(const Session& session, const TopCommand& command) {
  if (!command.spark) return absl::OkStatus();
  if (command.limit > kSparkRowsMax) {
    return absl::InvalidArgumentError(fmt::format("--spark is for up to {} articles: give --limit", kSparkRowsMax));
  }
  if (command.window.empty()) return absl::InvalidArgumentError("--spark needs a window, such as --last 7d");
  if (command.csv || session.options().json) return absl::InvalidArgumentError("--spark is for the table only");
  return absl::OkStatus();
}

// Returns an article's views in a window as a line of characters: its hours if it is short, else its days. `step` is
// the one that the window has; it is found with the first article.
absl::StatusOr<std::string> SparkOf(Session& session, const std::string& site, const std::string& article_id,
                                    const v1::Window::Range& span, v1::SeriesStep& step) {
  v1::GetSeriesRequest request;
  request.set_site(site);
  request.set_article_id(article_id);
  *request.mutable_window()->mutable_range() = span;
  const bool is_short = span.end().seconds() - span.start().seconds() <= kSparkHoursMax * 3'600;
  std::vector<v1::SeriesStep> steps = {v1::SERIES_STEP_DAY, v1::SERIES_STEP_HOUR};
  if (is_short) std::ranges::reverse(steps);
  if (step != v1::SERIES_STEP_UNSPECIFIED) steps = {step};
  absl::StatusOr<v1::GetSeriesResponse> response;
  for (const v1::SeriesStep tried : steps) {
    request.set_step(step = tried);
    response = session.Call(session.query(), &v1::QueryService::Stub::GetSeries, request);
    // The hours may not be kept, or the window may not consist of days.
    if (!absl::IsInvalidArgument(response.status())) break;
  }
  if (absl::IsInvalidArgument(response.status())) return std::string();
  if (!response.ok()) return response.status();
  std::vector<uint64_t> views;
  for (const auto& point : response->points()) views.push_back(point.views());
  return Sparkline(views, kSparkWidth);
}

// Returns the list as CSV. A rank before that is not known is an empty cell.

}  // namespace

absl::Status Run(Session& session, const RecordCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::RecordViewsRequest request;
  request.set_site(*site);
  for (const auto& article : command.articles) {
    auto* view = request.add_views();
    command.by_address ? view->set_address(article) : view->set_article_id(article);
    view->set_count(command.count);
    view->set_viewer(command.viewer);
    view->set_bot(command.bot);
  }
  const auto response = session.Call(session.ingest(), &v1::IngestService::Stub::RecordViews, request);
  if (!response.ok()) {
    if (ExitCodeOf(response.status()) != ExitCode::kUnreachable) return response.status();
    return WithMessage(response.status(), fmt::format("{}; if it was reached, the views may be counted",
                                                      std::string(response.status().message())));
  }
  if (session.options().json) {
    Print(JsonOf(*response));
  } else {
    Print(fmt::format("{} {} recorded, {}\n", Grouped(response->accepted_views()),
                      response->accepted_views() == 1 ? "view" : "views", DurabilityText(response->durability())));
  }
  return absl::OkStatus();
}

absl::Status Run(Session& session, const CountCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  const auto response = GetCounts(session, *site, command);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"VIEWS", Align::kRight}, {"VIEWERS", Align::kRight}, {"BOT VIEWS", Align::kRight}, {"ARTICLE"}});
  for (const auto& count : response->counts()) {
    if (!count.error().empty()) {
      table.Add({"-", "-", "-", fmt::format("{}: the address {}", count.address(), count.error())});
      continue;
    }
    table.Add({Grouped(count.views()), Grouped(count.viewers()), Grouped(count.bot_views()), count.article_id()});
  }
  Print(table.Text() + AsOf(*response));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const TopCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  if (auto status = CheckSpark(session, command); !status.ok()) return status;
  const auto response = ListPopular(session, *site, command);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  if (command.csv) return Print(PopularCsv(*response)), absl::OkStatus();
  const bool titles = std::ranges::any_of(response->articles(), [](const auto& a) { return !a.title().empty(); });
  std::vector<Table::Column> columns = {{"RANK", Align::kRight}};
  if (command.previous) columns.push_back({"BEFORE", Align::kRight});
  columns.insert(columns.end(), {{"VIEWS", Align::kRight}, {"ARTICLE"}});
  if (titles) columns.push_back({"TITLE"});
  if (command.spark) columns.push_back({"VIEWS OVER TIME"});
  Table table(columns);
  v1::SeriesStep step = v1::SERIES_STEP_UNSPECIFIED;
  for (const auto& article : response->articles()) {
    std::vector<std::string> cells = {std::to_string(article.rank())};
    if (command.previous) cells.push_back(article.previous_rank() == 0 ? "-" : std::to_string(article.previous_rank()));
    cells.insert(cells.end(), {Grouped(article.views()), article.article_id()});
    if (titles) cells.push_back(article.title());
    if (command.spark) {
      auto line = SparkOf(session, *site, article.article_id(), response->span(), step);
      if (!line.ok()) return line.status();
      cells.push_back(*std::move(line));
    }
    table.Add(cells);
  }
  std::string span;
  if (response->has_span()) {
    using google::protobuf::util::TimeUtil;
    span = fmt::format("from {} to {}\n", TimeUtil::ToString(response->span().start()),
                       TimeUtil::ToString(response->span().end()));
  }
  Print(table.Text() + span + AsOf(*response));
  return absl::OkStatus();
}

}  // namespace viewcount::cli
