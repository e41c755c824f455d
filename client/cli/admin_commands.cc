// Implements the commands site put, site list, flush and status.
#include <absl/strings/match.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/time_util.h>

#include <string>

#include "client/cli/commands.h"
#include "service/addresses/article_rule.h"
#include "service/base/duration.h"
#include "service/base/text.h"
#include "service/sites/site_settings.h"

namespace viewcount::cli {
using google::protobuf::util::TimeUtil;

namespace {

std::string ZoneOf(const v1::Site& site) { return site.time_zone().empty() ? "UTC" : site.time_zone(); }

std::string OriginsOf(const v1::Site& site) {
  return site.allowed_origins().empty() ? "any" : fmt::format("{}", fmt::join(site.allowed_origins(), ", "));
}

std::string CoolDownOf(const v1::Site& site) {
  return site.has_cool_down() ? FormatDuration(std::chrono::seconds(site.cool_down().seconds())) : "none";
}

std::string ExcludedOf(const v1::Site& site) {
  return site.excluded_addresses().empty() ? "none" : fmt::format("{}", fmt::join(site.excluded_addresses(), ", "));
}

// Describes the patterns by which the site recognises agents. Empty without any.
std::string AgentsOf(const v1::Site& site) {
  std::vector<std::string> parts;
  for (const auto& pattern : site.bot_agents()) parts.push_back(fmt::format("bots \"{}\"", pattern));
  for (const auto& pattern : site.person_agents()) parts.push_back(fmt::format("people \"{}\"", pattern));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Formats a duration like "3 d 04:05:06".
std::string DurationText(int64_t seconds) {
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  return seconds < 86'400 ? clock : fmt::format("{} d {}", seconds / 86'400, clock);
}

std::string StoreText(const v1::GetStatusResponse& status) {
  const std::string message = status.store_message().empty() ? "" : ": " + status.store_message();
  switch (status.store_state()) {
    case v1::STORE_STATE_READY:
      return "ready" + message;
    case v1::STORE_STATE_AWAY:
      return "away" + message;
    case v1::STORE_STATE_REFUSING:
      return status.store_message().empty() ? "refuses writes" : status.store_message();
    default:
      return "not known yet" + message;
  }
}

std::string LanesText(const v1::GetStatusResponse& status) {
  Table table({{"LANE"},
               {"POSITION", Align::kRight},
               {"FLUSHED", Align::kRight},
               {"PENDING VIEWS", Align::kRight},
               {"SEALED CHUNKS", Align::kRight},
               {"WRITERS", Align::kRight}});
  for (const auto& lane : status.lanes()) {
    table.Add({lane.lane_id(), Grouped(lane.position()), Grouped(lane.flushed_position()),
               Grouped(lane.pending_views()), Grouped(lane.sealed_chunks()), Grouped(lane.writers())});
  }
  return status.lanes().empty() ? "" : "\n" + table.Text();
}

using List = google::protobuf::RepeatedPtrField<std::string>;

// Replaces a list of the site if the command has one. An empty text alone stands for an empty list.
void Assign(const std::optional<std::vector<std::string>>& list, List* field) {
  if (!list) return;
  field->Clear();
  for (const std::string& entry : *list) {
    if (!entry.empty()) field->Add(std::string(entry));
  }
}

// Describes what is kept where it differs from the default. Empty if it does not.
std::string KeptOf(const v1::Site& site) {
  std::string text;
  if (site.has_hours_kept()) text += fmt::format(", hours kept for {} days", site.hours_kept().seconds() / 86'400);
  if (site.has_days_kept()) text += fmt::format(", days kept for {} days", site.days_kept().seconds() / 86'400);
  return text;
}

// The most bytes that an hour and a day of an article take in Redis: its counts, its place in the ranking, and its
// share of the keys. Measured with 1,000 to 100,000 articles (bench/RESULTS.md, "Memory of hours and days").
constexpr int64_t kBytesOfHour = 110;
constexpr int64_t kBytesOfDay = 240;

// Says what the hours and days take that a site keeps.
void NoteCostOf(const v1::Site& site) {
  constexpr int64_t kMiB = 1 << 20;
  const int64_t hours = site.has_hours_kept() ? site.hours_kept().seconds() / 3'600 : 24 * int64_t{kHoursKeptDaysMin};
  PrintError(fmt::format("note: hours take up to {} MiB in Redis for each 1,000 articles that are viewed in every hour",
                         hours * 1'000 * kBytesOfHour / kMiB + 1));
  const int64_t days = site.has_days_kept() ? site.days_kept().seconds() / 86'400 : 365;
  PrintError(fmt::format("note: days take up to {} MiB in Redis{} for each 1,000 articles that are viewed on every day",
                         days * 1'000 * kBytesOfDay / kMiB + 1, site.has_days_kept() ? "" : " a year"));
}

// Adds parameters to those that name articles at present.
void AddParameters(const std::vector<std::string>& names, v1::Site& site) {
  List& parameters = *site.mutable_article_parameters();
  if (parameters.empty() && !site.drop_query()) {
    parameters.Assign(DefaultArticleParameters().begin(), DefaultArticleParameters().end());
  }
  for (const std::string& name : names) {
    const bool known =
        std::ranges::any_of(parameters, [&](const std::string& entry) { return absl::EqualsIgnoreCase(entry, name); });
    if (!known) parameters.Add(std::string(name));
  }
}

// Sets the fields of the rule for addresses that the command names.
void ApplyRule(const SitePutCommand& command, v1::Site& site) {
  Assign(command.article_parameters, site.mutable_article_parameters());
  if (!command.added_article_parameters.empty()) {
    AddParameters(command.added_article_parameters, site);
    site.set_drop_query(false);
  }
  // Parameters and a dropped query exclude each other, so the one that is given replaces the other.
  if (command.article_parameters) site.set_drop_query(false);
  if (command.drop_query) site.set_drop_query(*command.drop_query);
  if (command.drop_query.value_or(false) && !command.article_parameters) site.clear_article_parameters();
  if (command.fold_case) site.set_fold_case(*command.fold_case);
  if (command.strip_slash) site.set_strip_trailing_slash(*command.strip_slash);
  Assign(command.index_names, site.mutable_index_names());
  Assign(command.excluded_paths, site.mutable_excluded_paths());
  if (command.count_well_known_paths) site.set_count_well_known_paths(*command.count_well_known_paths);
  Assign(command.static_extensions, site.mutable_static_extensions());
  Assign(command.page_extensions, site.mutable_page_extensions());
}

// Describes the rule for addresses where it differs from the default. Empty if it does not.
std::string RuleOf(const v1::Site& site) {
  std::vector<std::string> parts;
  const auto add_list = [&parts](const char* name, const auto& list) {
    if (!list.empty()) parts.push_back(fmt::format("{} {}", name, fmt::join(list, " ")));
  };
  add_list("named by", site.article_parameters());
  if (site.drop_query()) parts.emplace_back("query dropped");
  if (site.fold_case()) parts.emplace_back("case folded");
  if (site.strip_trailing_slash()) parts.emplace_back("slash stripped");
  add_list("without", site.index_names());
  add_list("not counted", site.excluded_paths());
  if (site.count_well_known_paths()) parts.emplace_back("well-known paths counted");
  add_list("no pages", site.static_extensions());
  add_list("pages", site.page_extensions());
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

absl::Status Run(Session& session, const SitePutCommand& command) {
  v1::PutSiteRequest request;
  v1::Site& wanted = *request.mutable_site();
  if (!command.reset) {
    const auto sites = session.Call(session.admin(), &v1::AdminService::Stub::ListSites, v1::ListSitesRequest());
    if (!sites.ok()) return sites.status();
    const auto present = std::ranges::find(sites->sites(), command.name, [](const auto& site) { return site.name(); });
    if (present != sites->sites().end()) wanted = *present;
  }
  wanted.set_name(command.name);
  if (command.time_zone) wanted.set_time_zone(*command.time_zone);
  Assign(command.origins, wanted.mutable_allowed_origins());
  if (command.cool_down) *wanted.mutable_cool_down() = TimeUtil::SecondsToDuration(command.cool_down->count());
  Assign(command.excluded, wanted.mutable_excluded_addresses());
  if (command.session_viewers) wanted.set_session_viewers(*command.session_viewers);
  if (command.hours_kept) *wanted.mutable_hours_kept() = TimeUtil::HoursToDuration(command.hours_kept->count());
  // 0 stands for no limit, which is an unset field.
  if (command.days_kept) *wanted.mutable_days_kept() = TimeUtil::HoursToDuration(command.days_kept->count());
  if (wanted.days_kept().seconds() == 0) wanted.clear_days_kept();
  if (command.public_reads) wanted.set_public_reads(*command.public_reads);
  if (command.page_announcements) wanted.set_page_announcements(*command.page_announcements);
  Assign(command.bot_agents, wanted.mutable_bot_agents());
  Assign(command.person_agents, wanted.mutable_person_agents());
  ApplyRule(command, wanted);
  if (command.announced_only) wanted.set_announced_articles_only(*command.announced_only);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::PutSite, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  const v1::Site& site = response->site();
  if (site.earlier_time_zones_size() > wanted.earlier_time_zones_size()) {
    const auto& last = site.earlier_time_zones(site.earlier_time_zones_size() - 1);
    PrintError(fmt::format("note: views until {} are in days of {}", TimeText(last.until()), last.time_zone()));
  }
  if (command.hours_kept || command.days_kept) NoteCostOf(site);
  const std::string rule = RuleOf(site), agents = AgentsOf(site);
  Print(fmt::format(
      "site {} {}, time zone {}, {}{}{}{}{}{}{}{}{}{}\n", site.name(), response->created() ? "created" : "changed",
      ZoneOf(site), site.allowed_origins().empty() ? "any origin is allowed" : "allowed origins " + OriginsOf(site),
      site.has_cool_down() ? ", cool-down " + CoolDownOf(site) : "",
      site.excluded_addresses().empty() ? "" : ", without " + ExcludedOf(site),
      site.announced_articles_only() ? ", announced articles only" : "",
      site.session_viewers() ? ", pages distinguish viewers" : "", KeptOf(site),
      site.public_reads() ? ", public dashboard" : "", site.page_announcements() ? ", pages announce themselves" : "",
      agents.empty() ? "" : ", agents: " + agents, rule.empty() ? "" : ", addresses: " + rule));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const SiteListCommand&) {
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::ListSites, v1::ListSitesRequest());
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"SITE"},
               {"TIME ZONE"},
               {"ALLOWED ORIGINS"},
               {"COOL-DOWN"},
               {"EXCLUDED"},
               {"ARTICLES"},
               {"AGENTS"},
               {"ADDRESSES"}});
  for (const auto& site : response->sites()) {
    table.Add({site.name(), ZoneOf(site), OriginsOf(site), CoolDownOf(site), ExcludedOf(site),
               site.announced_articles_only() ? "announced" : "any", AgentsOf(site), RuleOf(site)});
  }
  Print(response->sites().empty() ? "no site yet; create one with: viewcount site put NAME\n" : table.Text());
  return absl::OkStatus();
}

absl::Status Run(Session& session, const FlushCommand&) {
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::Flush, v1::FlushRequest());
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Print(fmt::format("{} pending views are in Redis now\n", Grouped(response->flushed_views())));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const StatusCommand&) {
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::GetStatus, v1::GetStatusRequest());
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"version"}, {response->version()}});
  table.Add({"uptime", DurationText(response->uptime().seconds())});
  table.Add({"data set", response->data_set_id()});
  table.Add({"store", StoreText(*response)});
  table.Add({"views", response->refusal_message().empty() ? "taken" : "REFUSED: " + response->refusal_message()});
  table.Add({"acknowledges as", v1::Durability_Name(response->default_durability())});
  table.Add({"views received", Grouped(response->received_views())});
  table.Add({"  counted", Grouped(response->counted_views())});
  table.Add({"  duplicate", Grouped(response->duplicate_views())});
  table.Add({"  rejected", Grouped(response->rejected_views())});
  table.Add({"not in Redis yet", Grouped(response->pending_views())});
  table.Add({"  oldest for", fmt::format("{:.1f} s", static_cast<double>(response->oldest_pending_age().seconds()) +
                                                         response->oldest_pending_age().nanos() / 1e9)});
  std::string hints;
  for (const std::string& hint : response->hints()) hints += "\nhint: " + OneLine(hint) + "\n";
  Print(table.Text() + LanesText(*response) + hints);
  return absl::OkStatus();
}

}  // namespace viewcount::cli
