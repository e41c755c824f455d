// Implements the commands stats and watch.
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
  Table table({{"PERIOD"}, {"VIEWS", Align::kRight}, {"VISITS", Align::kRight}, {"VIEWERS", Align::kRight}});
  const auto add = [&](const char* period, auto number) {
    table.Add({period, Grouped((response->views().*number)()), Grouped((response->visits().*number)()),
               "~" + Grouped((response->viewers().*number)())});
  };
  add("in all", &v1::SiteTotals::total);
  add("today", &v1::SiteTotals::today);
  add("yesterday", &v1::SiteTotals::yesterday);
  add("this week", &v1::SiteTotals::this_week);
  add("this month", &v1::SiteTotals::this_month);
  Print(fmt::format("{}~{} online now\nas of {}{}; ~ is estimated, with a standard error of {:.1f} %\n", table.Text(),
                    Grouped(response->online_now()), TimeText(response->as_of()),
                    response->exact() ? "" : ", not exact", 100 * response->viewers().standard_error()));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const WatchCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::WatchCountsRequest request;
  request.set_site(*site);
  for (const auto& article : command.articles) {
    command.by_address ? request.add_addresses(article) : request.add_article_ids(article);
  }
  uint32_t messages = 0;
  std::optional<uint64_t> site_views;
  const auto print = [&](const v1::WatchCountsResponse& response) {
    if (session.options().json) {
      Print(JsonOf(response));
    } else {
      const std::string time = TimeText(response.as_of());
      for (const auto& count : response.counts()) {
        if (count.error().empty()) {
          PrintChange(time, count.views(), count.article_id());
        } else {
          PrintError(fmt::format("{}: the address {}", count.address(), count.error()));
        }
      }
      if (site_views != response.site_views()) PrintChange(time, response.site_views(), "(the whole site)");
      site_views = response.site_views();
    }
    // The flush shows each change immediately to a reader behind a pipe. The command ends if it cannot write.
    return FlushOutput() && ++messages != command.count;
  };
  return session.Follow(session.query(), &v1::QueryService::Stub::WatchCounts, request, print);
}

}  // namespace viewcount::cli
