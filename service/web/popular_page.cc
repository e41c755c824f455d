#include "service/web/popular_page.h"

#include <fmt/format.h>

namespace viewcount {
namespace {

std::string_view ThemeName(Theme theme) {
  return theme == Theme::kLight ? "light" : theme == Theme::kDark ? "dark" : "auto";
}

std::string EntryOf(const v1::RankedArticle& article, const FeedOptions& options) {
  const std::string name = EscapedXml(ListedName(article));
  const std::string link = ListedLink(article, options);
  const std::string title =
      link.empty() ? fmt::format("<span>{}</span>", name)
                   : fmt::format(R"(<a href="{}" target="_top" rel="noopener">{}</a>)", EscapedXml(link), name);
  return fmt::format("<li>{} <small>{}</small></li>\n", title, EscapedXml(ListedViews(article, options)));
}

}  // namespace

std::string PopularPage(const v1::ListPopularResponse& list, const PopularPageOptions& options) {
  std::string entries;
  for (const v1::RankedArticle& article : list.articles()) entries += EntryOf(article, options.feed);
  const bool vietnamese = options.feed.vietnamese;
  const std::string title = EscapedXml(ListTitle(options.feed));
  const std::string_view none = vietnamese ? "Chưa có lượt xem." : "No views yet.";
  const std::string body = entries.empty() ? fmt::format("<p>{}</p>\n", none) : fmt::format("<ol>\n{}</ol>\n", entries);
  return fmt::format(
      "<!doctype html>\n<html lang=\"{0}\" class=\"{1}\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n<title>{2}</title>\n<link rel=\"icon\" href=\"data:,\">\n"
      "<link rel=\"stylesheet\" href=\"embed.css\">\n"
      "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{3}\" title=\"{2}\">\n</head>\n"
      "<body>\n<main>\n<h1>{4}</h1>\n{5}</main>\n</body>\n</html>\n",
      vietnamese ? "vi" : "en", ThemeName(options.theme), title, EscapedXml(options.oembed_address),
      vietnamese ? "Đọc nhiều nhất" : "Most viewed", body);
}

}  // namespace viewcount
