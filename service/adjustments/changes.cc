#include "service/adjustments/changes.h"

#include "service/lane/adjustment.h"

namespace viewcount {

void PutChanges(const Changes& changes, journal::v1::Adjustment& message) {
  for (const auto& [article_id, windows] : changes) {
    journal::v1::ArticleChange article;
    article.set_article_id(article_id);
    for (const auto& [window, views] : windows) {
      if (views != 0) *article.add_windows() = ChangeOf(window, views);
    }
    if (!article.windows().empty()) *message.add_changes() = std::move(article);
  }
}

std::string NameOf(const std::string& article_id) { return article_id.empty() ? "the site" : "\"" + article_id + "\""; }

}  // namespace viewcount
