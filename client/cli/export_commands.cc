// Implements the commands export and normalize, which read all articles of a site.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/counts_json.h"
#include "client/cli/csv.h"
#include "client/cli/progress.h"
#include "service/addresses/dropped_parameters.h"
#include "service/addresses/rule_message.h"
#include "service/base/limits.h"
#include "service/base/text.h"
#include "service/query/csv_tables.h"

namespace viewcount::cli {
namespace {

// The groups of articles that are shown in full. More would hide the summary.
constexpr size_t kGroupsShown = 20;

std::string ListingText(uint64_t articles, double progress) {
  return fmt::format("{} articles, {:.0f} %", Grouped(articles), progress * 100);
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The articles that one article takes over, with their views and the parameters that the rule drops.
struct Group {
  struct Member {
    uint64_t views = 0;
    Parameters dropped = {};
  };
  std::map<std::string, Member> members;
  uint64_t views = 0;

  // Returns true if the parameters distinguish some of the members, which may then be different articles.
  bool differs() const {
    const Parameters* first = nullptr;
    for (const auto& [id, member] : members) {
      if (member.dropped.empty()) continue;
      if (first == nullptr) first = &member.dropped;
      if (*first != member.dropped) return true;
    }
    return false;
  }
};
using Groups = std::map<std::string, Group>;

std::string GroupsText(const Groups& groups) {
  std::string text;
  size_t shown = 0;
  for (const auto& [into, group] : groups) {
    if (shown++ == kGroupsShown) break;
    text += fmt::format("{} takes over {}:\n", OneLine(into), Counted(group.views, "view"));
    for (const auto& [from, member] : group.members) {
      text += fmt::format("  {:>13}  {}\n", Grouped(member.views), OneLine(from));
    }
  }
  if (groups.size() > kGroupsShown) text += fmt::format("and {} more\n", Grouped(groups.size() - kGroupsShown));
  return text;
}

std::string GroupsJson(const Groups& groups) {
  std::string text = "{\"articles\":[";
  bool first = true;
  for (const auto& [into, group] : groups) {
    for (const auto& [from, member] : group.members) {
      text += fmt::format("{}\n {{\"articleId\":{},\"into\":{},\"views\":{}}}", first ? "" : ",", JsonText(from),
                          JsonText(into), member.views);
      first = false;
    }
  }
  return text + "]}\n";
}

// Describes the parameters that distinguish articles of one group. Empty if there are none.
std::string HintOf(const Groups& groups, const std::string& site) {
  DroppedParameters dropped;
  for (const auto& [into, group] : groups) {
    if (!group.differs()) continue;
    for (const auto& [from, member] : group.members) dropped.Add(into, member.dropped);
  }
  return OneLine(DroppedParametersHint(dropped, site));
}

// Moves the counts of the articles, in as few adjustments as possible. Passes the ID of each adjustment to `done`.
template <typename Done>
absl::Status MoveCounts(Session& session, const NormalizeCommand& command, const std::vector<std::string>& ids,
                        Done done) {
  size_t size = limits::kAdjustedArticlesMax;
  for (size_t at = 0; at < ids.size();) {
    v1::NormalizeArticlesRequest request;
    request.set_site(command.site);
    request.set_canonical(command.canonical);
    request.mutable_provenance()->set_who(UserName());
    request.mutable_provenance()->set_why(command.why);
    const size_t end = std::min(ids.size(), at + size);
    for (size_t i = at; i < end; ++i) request.add_article_ids(ids[i]);
    const auto response = session.Call(session.admin(), &v1::AdminService::Stub::NormalizeArticles, request);
    // Articles with many days and hours need several adjustments.
    if (absl::IsResourceExhausted(response.status()) && size > 1) {
      size /= 2;
      continue;
    }
    if (!response.ok()) return response.status();
    done(end - at, response->adjustment_id());
    at = end;
  }
  return absl::OkStatus();
}

// Writes a snapshot. Its last line has the totals, so that a part of it is not taken for the whole.
absl::Status ExportFull(Session& session, const std::string& site) {
  v1::ExportSnapshotRequest request;
  request.set_site(site);
  Progress progress;
  SnapshotEnd written;
  bool ended = false;
  const auto take = [&](const v1::ExportSnapshotResponse& response) {
    std::string lines;
    if (response.has_site()) lines += HeadLine(response.site(), response.time());
    for (const auto& row : response.rows()) lines += RowLine(row);
    for (const auto& alias : response.aliases()) lines += AliasLine(alias.from_article_id(), alias.into_article_id());
    for (const auto& article : response.announced()) lines += AnnouncedLine(article);
    written.rows += static_cast<uint64_t>(response.rows_size());
    if (response.has_totals()) {
      const auto& totals = response.totals();
      written = {totals.rows(), totals.views(), totals.aliases(), totals.announced()};
      lines += EndLine(written);
      ended = true;
    }
    progress.Show([&] { return ListingText(written.rows, response.progress()); });
    Print(lines);
    return FlushOutput();
  };
  const auto status = session.Follow(session.admin(), &v1::AdminService::Stub::ExportSnapshot, request, take);
  progress.Clear();
  if (!status.ok()) return status;
  if (!ended) return absl::UnavailableError("the export ended early; the snapshot is not whole");
  PrintError(fmt::format("{} with {} views of all time exported; estimated viewers are not included",
                         Counted(written.rows, "row"), written.views));
  return absl::OkStatus();
}

}  // namespace

absl::Status Run(Session& session, const ExportCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  if (command.full) return ExportFull(session, *site);
  v1::ExportCountsRequest request;
  request.set_site(*site);
  request.mutable_window()->set_all_time(true);
  if (auto status = FillWindow(command.window, *request.mutable_window()); !status.ok()) return status;
  const bool all_time = request.window().all_time();
  uint64_t articles = 0;
  Progress progress;
  const bool lines = session.options().json || command.format == ExportFormat::kJsonLines;
  const ExportForm form = lines ? ExportForm::kJsonLines : ExportForm::kCsv;
  Print(ExportHead(form, all_time));
  const auto status =
      session.Follow(session.query(), &v1::QueryService::Stub::ExportCounts, request, [&](const auto& response) {
        std::string rows;
        for (const auto& count : response.counts()) rows += ExportRow(count, form, all_time);
        articles += static_cast<uint64_t>(response.counts_size());
        progress.Show([&] { return ListingText(articles, response.progress()); });
        Print(rows);
        return FlushOutput();
      });
  progress.Clear();
  if (!status.ok()) return status;
  PrintError(fmt::format("{} exported", Counted(articles, "article")));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const NormalizeCommand& command) {
  const auto sites = session.Call(session.admin(), &v1::AdminService::Stub::ListSites, v1::ListSitesRequest());
  if (!sites.ok()) return sites.status();
  const auto site = std::ranges::find(sites->sites(), command.site, [](const auto& listed) { return listed.name(); });
  if (site == sites->sites().end()) return absl::NotFoundError(fmt::format("there is no site {}", command.site));
  const auto rule = ArticleRule::Make(RuleSettingsOf(*site));
  if (!rule.ok()) return rule.status();
  const AddressKind kind = command.canonical ? AddressKind::kCanonical : AddressKind::kRequested;
  v1::ExportCountsRequest request;
  request.set_site(command.site);
  Groups groups;
  std::vector<std::string> ids;
  uint64_t articles = 0;
  Progress progress;
  const auto listed =
      session.Follow(session.query(), &v1::QueryService::Stub::ExportCounts, request, [&](const auto& response) {
        for (const auto& count : response.counts()) {
          ++articles;
          auto named = NormalFormOf(*rule, count.article_id(), kind);
          if (!named || named->article_id == count.article_id()) continue;
          Group& group = groups[named->article_id];
          auto& member = group.members[count.article_id()];
          member.views = count.views();
          member.dropped = std::move(named->dropped);
          group.views += count.views();
          ids.push_back(count.article_id());
        }
        progress.Show([&] { return ListingText(articles, response.progress()); });
        return true;
      });
  progress.Clear();
  if (!listed.ok()) return listed;
  if (session.options().json && !command.apply) return Print(GroupsJson(groups)), absl::OkStatus();
  if (ids.empty()) {
    Print(fmt::format("all {} have the IDs that the site's present rule gives them\n", Counted(articles, "article")));
    return absl::OkStatus();
  }
  if (!command.apply) {
    Print(GroupsText(groups));
    if (const std::string hint = HintOf(groups, command.site); !hint.empty()) PrintError("hint: " + hint);
    Print(fmt::format("{} of {} would move into {}; move them with: viewcount normalize {}{} --apply\n",
                      Grouped(ids.size()), Counted(articles, "article"), Grouped(groups.size()), command.site,
                      command.canonical ? " --canonical" : ""));
    return absl::OkStatus();
  }
  // Views of different articles cannot be divided again once they are joined, except by an undo.
  if (const std::string hint = HintOf(groups, command.site); !hint.empty() && !command.join_parameters) {
    return absl::FailedPreconditionError(fmt::format(
        "nothing was moved, because some of these articles differ in parameters: {}. If the parameters name no "
        "articles, move the counts with --join-parameters",
        hint));
  }
  return MoveCounts(session, command, ids, [&](size_t moved, const std::string& adjustment_id) {
    if (session.options().json) {
      Print(fmt::format("{{\"articles\":{},\"adjustmentId\":\"{}\"}}\n", moved, adjustment_id));
    } else {
      Print(fmt::format("the counts of {} moved; take it back with: viewcount --site {} undo {}\n",
                        Counted(moved, "article"), command.site, adjustment_id));
    }
  });
}

}  // namespace viewcount::cli
