// Implements the command announce for articles that the command line names.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <string>

#include "client/cli/bulk_announcement.h"
#include "client/cli/commands.h"

namespace viewcount::cli {

absl::StatusOr<ExitCode> Run(Session& session, const AnnounceCommand& command) {
  if (command.in_bulk()) return AnnounceInBulk(session, command);
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::PutArticlesRequest request;
  request.set_site(*site);
  for (const std::string& id : command.articles) {
    v1::Article& article = *request.add_articles();
    article.set_article_id(id);
    article.set_title(command.title);
    article.set_url(command.url);
    for (const std::string& section : command.sections) article.add_sections(section);
    for (const std::string& author : command.authors) article.add_authors(author);
    for (const std::string& tag : command.tags) article.add_tags(tag);
    article.set_image_url(command.image_url);
    article.set_language(command.language);
    article.set_hidden_from_lists(command.hidden);
    if (!command.published.empty() &&
        !google::protobuf::util::TimeUtil::FromString(command.published, article.mutable_publish_time())) {
      return absl::InvalidArgumentError("--published must be a time such as 2026-11-30T07:00:00+07:00");
    }
  }
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::PutArticles, request);
  if (!response.ok()) return response.status();
  if (session.options().json) {
    Print(JsonOf(*response));
  } else {
    Print(fmt::format("{} announced\n", Counted(command.articles.size(), "article")));
  }
  return ExitCode::kOk;
}

}  // namespace viewcount::cli
