// Implements the command series.
#include <absl/time/time.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/bar.h"
#include "client/cli/commands.h"
#include "client/cli/series_change.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The width of the longest bar, in characters.
constexpr int kBarWidthMax = 60;
// The space of a time, a number, and what separates them; and that of a number before and a change.
constexpr int kOtherColumns = 40;
constexpr int kCompareColumns = 25;

int BarWidth(bool compares) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kBarWidthMax;
  const int others = kOtherColumns + (compares ? kCompareColumns : 0);
  return std::clamp(static_cast<int>(size.ws_col) - others, 1, kBarWidthMax);
}

// Formats the first moments of points as their site writes them: days, or hours with their offset from UTC.
class StartFormat {
 public:
  explicit StartFormat(const v1::Site& site) {
    // This machine may lack the time zone. Then all moments are shown in UTC.
    if (!absl::LoadTimeZone(site.time_zone(), &zone_)) zone_ = absl::UTCTimeZone();
  }

  // Returns the moment as RFC 3339 has it.
  std::string FullTextOf(const v1::SeriesPoint& point) const { return Text(point, "%Y-%m-%dT%H:%M:%S%Ez"); }
  std::string TextOf(const v1::SeriesPoint& point) const {
    return point.day().empty() ? Text(point, "%Y-%m-%d %H:%M %Ez") : point.day();
  }

 private:
  std::string Text(const v1::SeriesPoint& point, const char* format) const {
    return absl::FormatTime(format, absl::FromUnixSeconds(point.start().seconds()), zone_);
  }

  absl::TimeZone zone_;
};

absl::StatusOr<v1::GetSeriesRequest> RequestOf(const std::string& site, const SeriesCommand& command) {
  if (command.by_address && command.article.empty()) {
    return absl::InvalidArgumentError("--address needs the ARTICLE whose address it is");
  }
  v1::GetSeriesRequest request;
  request.set_site(site);
  command.by_address ? request.set_address(command.article) : request.set_article_id(command.article);
  request.set_section(command.section);
  request.set_author(command.author);
  request.set_tag(command.tag);
  request.set_step(command.step);
  request.set_with_before(command.compare == SeriesCompare::kBefore);
  request.set_with_year_before(command.compare == SeriesCompare::kYear);
  if (auto status = FillWindow(command.window, *request.mutable_window()); !status.ok()) return status;
  return request;
}

// Returns the points that those of the series are compared with, or null.
const google::protobuf::RepeatedPtrField<v1::SeriesPoint>* Compared(const v1::GetSeriesResponse& response,
                                                                    SeriesCompare compare) {
  switch (compare) {
    case SeriesCompare::kNone:
      return nullptr;
    case SeriesCompare::kBefore:
      return &response.before();
    case SeriesCompare::kYear:
      return &response.year_before();
  }
  return nullptr;
}

std::string Csv(const v1::GetSeriesResponse& response, const StartFormat& start, const SeriesCommand& command) {
  const auto* const before = Compared(response, command.compare);
  std::string text = before == nullptr ? "start,views\n" : "start,views,before_start,before_views,change_percent\n";
  for (int i = 0; i < response.points_size(); ++i) {
    const v1::SeriesPoint& point = response.points(i);
    text += fmt::format("{},{}", start.FullTextOf(point), point.views());
    if (before != nullptr) {
      const v1::SeriesPoint& other = before->at(i);
      const bool finished = IsFinished(point, command.step, response.as_of());
      text += fmt::format(",{},{},{}", start.FullTextOf(other), other.views(),
                          finished ? ChangeText(point.views(), other.views(), false) : "");
    }
    text += "\n";
  }
  return text;
}

std::string TextOf(const v1::GetSeriesResponse& response, const StartFormat& start, const SeriesCommand& command) {
  const auto* const before = Compared(response, command.compare);
  uint64_t most = 0;
  for (const auto& point : response.points()) most = std::max(most, point.views());
  std::vector<Table::Column> columns = {{"FROM"}, {"VIEWS", Align::kRight}};
  if (before != nullptr) {
    const char* const head = command.compare == SeriesCompare::kYear ? "YEAR BEFORE" : "BEFORE";
    columns.insert(columns.end(), {{head, Align::kRight}, {"CHANGE", Align::kRight}});
  }
  columns.push_back({""});
  Table table(columns);
  const int width = BarWidth(before != nullptr);
  uint64_t finished_views = 0, finished_before = 0;
  bool all_finished = true;
  for (int i = 0; i < response.points_size(); ++i) {
    const v1::SeriesPoint& point = response.points(i);
    std::vector<std::string> cells = {start.TextOf(point), Grouped(point.views())};
    if (before != nullptr) {
      const v1::SeriesPoint& other = before->at(i);
      const bool finished = IsFinished(point, command.step, response.as_of());
      all_finished = all_finished && finished;
      if (finished) finished_views += point.views(), finished_before += other.views();
      cells.insert(cells.end(),
                   {Grouped(other.views()), finished ? ChangeText(point.views(), other.views(), true) : "so far"});
    }
    cells.push_back(Bar(point.views(), most, width));
    table.Add(std::move(cells));
  }
  std::string text = table.Text() + fmt::format("{} in all\n", Counted(response.views(), "view"));
  if (before != nullptr) {
    const std::string change = ChangeText(finished_views, finished_before, true);
    text += fmt::format("{}{} after {}{}{}\n", all_finished ? "" : "without the last row, ", Grouped(finished_views),
                        Grouped(finished_before), change.empty() ? "" : ": ", change);
  }
  if (!response.exact()) text += "not exact\n";
  return text;
}

}  // namespace

absl::Status Run(Session& session, const SeriesCommand& command) {
  const auto site = session.ExistingSite();
  if (!site.ok()) return site.status();
  const auto request = RequestOf(site->name(), command);
  if (!request.ok()) return request.status();
  const auto response = session.Call(session.query(), &v1::QueryService::Stub::GetSeries, *request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  const auto* const before = Compared(*response, command.compare);
  if (before != nullptr && before->size() != response->points_size()) {
    return absl::UnimplementedError("this service cannot compare series; update viewcountd");
  }
  const StartFormat start(*site);
  Print(command.csv ? Csv(*response, start, command) : TextOf(*response, start, command));
  return absl::OkStatus();
}

}  // namespace viewcount::cli
