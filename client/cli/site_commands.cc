// stats and watch.
#include <fmt/format.h>

#include <optional>
#include <string>

#include "client/cli/commands.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

void PrintChange(const std::string& time, uint64_t views, std::string_view what) {
  Print(fmt::format("{}  {:>14}  {}\n", time, Grouped(views), OneLine(what)));
}

}  // namespace

absl::Status Run(Session& session, const StatsCommand&) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::GetSiteStatsRequest request;
  request.set_site(*site);
  const auto response = session.Call(session.query(), &v1::QueryService::Stub::GetSiteStats, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  const v1::SiteTotals& views = response->views();
  Table table({{"PERIOD"}, {"VIEWS", Align::kRight}});
  table.Add({"in all", Grouped(views.total())});
  table.Add({"today", Grouped(views.today())});
  table.Add({"yesterday", Grouped(views.yesterday())});
  table.Add({"this week", Grouped(views.this_week())});
  table.Add({"this month", Grouped(views.this_month())});
  Print(
      fmt::format("{}as of {}{}\n", table.Text(), TimeText(response->as_of()), response->exact() ? "" : ", not exact"));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const WatchCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::WatchCountsRequest request;
  request.set_site(*site);
  for (const auto& article : command.articles) request.add_article_ids(article);
  uint32_t messages = 0;
  std::optional<uint64_t> site_views;
  const auto print = [&](const v1::WatchCountsResponse& response) {
    if (session.options().json) {
      Print(JsonOf(response));
    } else {
      const std::string time = TimeText(response.as_of());
      for (const auto& count : response.counts()) PrintChange(time, count.views(), count.article_id());
      if (site_views != response.site_views()) PrintChange(time, response.site_views(), "(the whole site)");
      site_views = response.site_views();
    }
    // Whoever reads this through a pipe sees each change at once; what cannot be written ends it.
    return FlushOutput() && ++messages != command.count;
  };
  return session.Follow(session.query(), &v1::QueryService::Stub::WatchCounts, request, print);
}

}  // namespace viewcount::cli
