// Implements the commands set, merge, delete, adjustments and undo.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "client/cli/commands.h"
#include "service/base/text.h"

namespace viewcount::cli {

std::string UserName() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "viewcount" : user;
}

namespace {

// Fills in the site and the provenance of `request` and sends it. Prints the answer as JSON, or prints `done` and the
// command that undoes the change.
template <typename Request, typename Response>
absl::Status Adjust(Session& session,
                    grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    Request request, const std::string& why, const std::string& done) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  request.set_site(*site);
  request.mutable_provenance()->set_who(UserName());
  request.mutable_provenance()->set_why(why);
  const auto response = session.Call(session.admin(), method, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Print(fmt::format("{}; take it back with: viewcount --site {} undo {}\n", done, *site, response->adjustment_id()));
  return absl::OkStatus();
}

// Returns the IDs of the articles. `articles` are addresses if `by_address`.
absl::StatusOr<std::vector<std::string>> ArticlesOf(Session& session, const std::vector<std::string>& articles,
                                                    bool by_address) {
  if (!by_address) return articles;
  return session.ArticlesAt(articles);
}

}  // namespace

absl::Status Run(Session& session, const SetCommand& command) {
  const auto article = ArticlesOf(session, {command.article}, command.by_address);
  if (!article.ok()) return article.status();
  v1::SetCountsRequest request;
  request.set_article_id(article->front());
  const auto views = command.site_total ? command.site_total : command.views;
  std::string counts;
  if (views) {
    request.set_views(*views);
    counts = Counted(*views, "view");
  }
  if (command.site_visits) {
    request.set_visits(*command.site_visits);
    counts += (counts.empty() ? "" : " and ") + Counted(*command.site_visits, "visit");
  }
  const std::string what = command.article.empty() ? "the site" : OneLine(article->front());
  return Adjust(session, &v1::AdminService::Stub::SetCounts, request, command.why,
                fmt::format("{} has {} now", what, counts));
}

absl::Status Run(Session& session, const MergeCommand& command) {
  const auto articles = ArticlesOf(session, {command.from, command.into}, command.by_address);
  if (!articles.ok()) return articles.status();
  v1::MergeArticlesRequest request;
  request.set_from_article_id(articles->front());
  request.set_into_article_id(articles->back());
  return Adjust(session, &v1::AdminService::Stub::MergeArticles, request, command.why,
                fmt::format("{} is counted for {} now", OneLine(articles->front()), OneLine(articles->back())));
}

absl::Status Run(Session& session, const DeleteCommand& command) {
  const auto articles = ArticlesOf(session, command.articles, command.by_address);
  if (!articles.ok()) return articles.status();
  v1::DeleteArticlesRequest request;
  for (const std::string& article : *articles) request.add_article_ids(article);
  return Adjust(session, &v1::AdminService::Stub::DeleteArticles, request, command.why,
                fmt::format("{} deleted", Counted(command.articles.size(), "article")));
}

absl::Status Run(Session& session, const UndoCommand& command) {
  v1::UndoAdjustmentRequest request;
  request.set_adjustment_id(command.adjustment_id);
  return Adjust(session, &v1::AdminService::Stub::UndoAdjustment, request, command.why, "taken back");
}

absl::Status Run(Session& session, const AdjustmentsCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::ListAdjustmentsRequest request;
  request.set_site(*site);
  request.set_page_size(command.limit);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::ListAdjustments, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"TIME"}, {"ID"}, {"WHO"}, {"WHAT"}, {"WHY"}});
  for (const auto& adjustment : response->adjustments()) {
    table.Add({TimeText(adjustment.time()), adjustment.adjustment_id(), adjustment.provenance().who(),
               adjustment.description() + (adjustment.undone() ? " (undone)" : ""), adjustment.provenance().why()});
  }
  Print(response->adjustments().empty() ? "no adjustments yet\n" : table.Text());
  return absl::OkStatus();
}

}  // namespace viewcount::cli
