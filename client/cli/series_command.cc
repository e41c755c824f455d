// Implements the command series.
#include <absl/time/time.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "client/cli/bar.h"
#include "client/cli/commands.h"
#include "client/cli/site_days.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// The width of the longest bar, in characters.
constexpr int kBarWidthMax = 60;
// The space of a time, a number, and what separates them.
constexpr int kOtherColumns = 40;

int BarWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kBarWidthMax;
  return std::clamp(static_cast<int>(size.ws_col) - kOtherColumns, 1, kBarWidthMax);
}

// Formats the first moments of points as their site writes them: days, or hours with their offset from UTC.
class StartFormat {
 public:
  StartFormat(const v1::Site& site, v1::SeriesStep step) : days_(DayZonesOf(site)) {
    // This machine may lack the time zones. Then all moments are shown in UTC, and days as moments.
    if (!days_.ok() || !absl::LoadTimeZone(site.time_zone(), &zone_)) zone_ = absl::UTCTimeZone();
    by_day_ = days_.ok() && step != v1::SERIES_STEP_HOUR;
  }

  // Returns the moment as RFC 3339 has it.
  std::string FullTextOf(const google::protobuf::Timestamp& start) const {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", absl::FromUnixSeconds(start.seconds()), zone_);
  }

  std::string TextOf(const google::protobuf::Timestamp& start) const {
    const absl::Time time = absl::FromUnixSeconds(start.seconds());
    // The day may have begun in an earlier time zone of the site, where it had another name.
    if (by_day_) return absl::FormatCivilTime(DayOf(time, *days_));
    return absl::FormatTime("%Y-%m-%d %H:%M %Ez", time, zone_);
  }

 private:
  const absl::StatusOr<DayZones> days_;
  absl::TimeZone zone_;
  bool by_day_ = false;
};

absl::StatusOr<v1::GetSeriesRequest> RequestOf(const std::string& site, const SeriesCommand& command) {
  if (command.by_address && command.article.empty()) {
    return absl::InvalidArgumentError("--address needs the ARTICLE whose address it is");
  }
  v1::GetSeriesRequest request;
  request.set_site(site);
  command.by_address ? request.set_address(command.article) : request.set_article_id(command.article);
  request.set_step(command.step);
  if (auto status = FillWindow(command.window, *request.mutable_window()); !status.ok()) return status;
  return request;
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
  const StartFormat start(*site, command.step);
  if (command.csv) {
    Print("start,views\n");
    for (const auto& point : response->points()) {
      Print(fmt::format("{},{}\n", start.FullTextOf(point.start()), point.views()));
    }
    return absl::OkStatus();
  }
  uint64_t most = 0;
  for (const auto& point : response->points()) most = std::max(most, point.views());
  Table table({{"FROM"}, {"VIEWS", Align::kRight}, {""}});
  const int width = BarWidth();
  for (const auto& point : response->points()) {
    table.Add({start.TextOf(point.start()), Grouped(point.views()), Bar(point.views(), most, width)});
  }
  Print(table.Text() + fmt::format("{} in all\n", Counted(response->views(), "view")));
  return absl::OkStatus();
}

}  // namespace viewcount::cli
