#include "service/web/popular_feed.h"

#include <absl/strings/match.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "service/base/check.h"
#include "service/web/svg_text.h"

namespace viewcount {
namespace {

using google::protobuf::Struct;
using google::protobuf::util::TimeUtil;

// Returns an element, or nothing if it would be empty.
std::string Element(std::string_view name, std::string_view text, std::string_view attributes = "") {
  if (text.empty()) return "";
  return fmt::format("<{0}{1}>{2}</{0}>", name, attributes, EscapedXml(text));
}

std::string Rfc822(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%a, %d %b %E4Y %H:%M:%S +0000", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

// Sets a field of a JSON object, unless the text is empty.
void Set(Struct& object, const std::string& name, const std::string& text) {
  if (!text.empty()) (*object.mutable_fields())[name].set_string_value(text);
}

Struct ItemOf(const v1::RankedArticle& article, const FeedOptions& options) {
  Struct item;
  Set(item, "id", article.article_id());
  Set(item, "url", ListedLink(article, options));
  Set(item, "title", ListedName(article));
  Set(item, "content_text", ListedViews(article, options));
  Set(item, "image", article.image_url());
  if (article.has_publish_time()) Set(item, "date_published", TimeUtil::ToString(article.publish_time()));
  for (const std::string& author : article.authors()) {
    auto& authors = *(*item.mutable_fields())["authors"].mutable_list_value();
    Set(*authors.add_values()->mutable_struct_value(), "name", author);
  }
  for (const std::string& section : article.sections()) {
    (*item.mutable_fields())["tags"].mutable_list_value()->add_values()->set_string_value(section);
  }
  Struct& extension = *(*item.mutable_fields())["_viewcount"].mutable_struct_value();
  (*extension.mutable_fields())["views"].set_number_value(static_cast<double>(article.views()));
  (*extension.mutable_fields())["rank"].set_number_value(article.rank());
  return item;
}

}  // namespace

std::string ListedLink(const v1::RankedArticle& article, const FeedOptions& options) {
  const std::string& url = article.url();
  if (absl::StartsWithIgnoreCase(url, "https://") || absl::StartsWithIgnoreCase(url, "http://")) return url;
  if (options.origin.empty()) return "";
  const std::string origin(options.origin);
  // Any visitor may have reported an ID. So it must not lead to another host, as a path with two slashes would.
  const auto is_path = [](std::string_view text) {
    return text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
  };
  for (const std::string& text : {url, article.article_id()}) {
    if (is_path(text)) return origin + text;
  }
  return article.article_id().starts_with(origin + "/") ? article.article_id() : "";
}

std::string ListTitle(const FeedOptions& options) {
  return fmt::format("{}: {}", options.site, options.vietnamese ? "đọc nhiều nhất" : "most viewed");
}

std::string ListedViews(const v1::RankedArticle& article, const FeedOptions& options) {
  const char* const unit = options.vietnamese ? "lượt xem" : article.views() == 1 ? "view" : "views";
  return fmt::format("{} {}", Grouped(article.views(), options.grouping), unit);
}

const std::string& ListedName(const v1::RankedArticle& article) {
  return article.title().empty() ? article.article_id() : article.title();
}

std::string RssOf(const v1::ListPopularResponse& list, const FeedOptions& options) {
  std::string items;
  for (const v1::RankedArticle& article : list.articles()) {
    items += "<item>" + Element("title", ListedName(article)) + Element("link", ListedLink(article, options)) +
             Element("guid", article.article_id(), " isPermaLink=\"false\"") +
             Element("description", ListedViews(article, options));
    if (article.has_publish_time()) items += Element("pubDate", Rfc822(article.publish_time()));
    for (const std::string& section : article.sections()) items += Element("category", section);
    for (const std::string& author : article.authors()) items += Element("dc:creator", author);
    items += "</item>\n";
  }
  const std::string title = ListTitle(options);
  // A channel must have a link and a description.
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel>\n" +
         Element("title", title) + Element("link", options.origin.empty() ? "about:blank" : options.origin) +
         Element("description", title) + Element("language", options.vietnamese ? "vi" : "en") +
         Element("generator", "viewcount") + "\n" + items + "</channel></rss>\n";
}

std::string JsonFeedOf(const v1::ListPopularResponse& list, const FeedOptions& options) {
  Struct feed;
  Set(feed, "version", "https://jsonfeed.org/version/1.1");
  Set(feed, "title", ListTitle(options));
  Set(feed, "home_page_url", std::string(options.origin));
  Set(feed, "language", options.vietnamese ? "vi" : "en");
  auto& items = *(*feed.mutable_fields())["items"].mutable_list_value();
  for (const v1::RankedArticle& article : list.articles()) {
    *items.add_values()->mutable_struct_value() = ItemOf(article, options);
  }
  Struct& extension = *(*feed.mutable_fields())["_viewcount"].mutable_struct_value();
  (*extension.mutable_fields())["exact"].set_bool_value(list.exact());
  std::string text;
  // All strings of a message are valid UTF-8, so this cannot fail.
  VIEWCOUNT_CHECK(google::protobuf::util::MessageToJsonString(feed, &text).ok());
  return text;
}

}  // namespace viewcount
