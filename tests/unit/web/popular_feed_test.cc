#include "service/web/popular_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::ListPopularResponse ListWith(const std::string& id, const std::string& title, const std::string& url) {
  v1::ListPopularResponse list;
  list.set_exact(true);
  list.mutable_as_of()->set_seconds(1'795'000'000);
  v1::RankedArticle& article = *list.add_articles();
  article.set_article_id(id);
  article.set_title(title);
  article.set_url(url);
  article.set_views(1'234);
  article.set_rank(1);
  article.add_sections("Thời sự");
  article.add_authors("An & Bình");
  article.mutable_publish_time()->set_seconds(1'794'960'000);
  return list;
}

TEST(PopularFeed, RssNamesViewsTimesAndLabels) {
  const FeedOptions options{
      .site = "demo", .origin = "https://news.example", .vietnamese = true, .grouping = *DigitGroupingOf("vi")};
  const std::string rss = RssOf(ListWith("/tin/1", "Mưa & nắng", ""), options);
  EXPECT_THAT(rss, HasSubstr("<title>Mưa &amp; nắng</title><link>https://news.example/tin/1</link>"));
  EXPECT_THAT(rss, HasSubstr("<guid isPermaLink=\"false\">/tin/1</guid><description>1.234 lượt xem</description>"));
  EXPECT_THAT(rss, HasSubstr("<pubDate>Wed, 18 Nov 2026 00:00:00 +0000</pubDate><category>Thời sự</category>"));
  EXPECT_THAT(rss, HasSubstr("<dc:creator>An &amp; Bình</dc:creator>"));
}

TEST(PopularFeed, JsonHasTheFieldsOfVersion11) {
  const FeedOptions options{.site = "demo"};
  const std::string json = JsonFeedOf(ListWith("news:1", "", "https://a.example/1"), options);
  EXPECT_THAT(json, HasSubstr(R"("version":"https://jsonfeed.org/version/1.1")"));
  EXPECT_THAT(json, HasSubstr(R"("id":"news:1")"));
  EXPECT_THAT(json, HasSubstr(R"("title":"news:1")"));
  EXPECT_THAT(json, HasSubstr(R"("url":"https://a.example/1")"));
  EXPECT_THAT(json, HasSubstr(R"("content_text":"1,234 views")"));
  EXPECT_THAT(json, HasSubstr(R"("date_published":"2026-11-18T00:00:00Z")"));
  EXPECT_THAT(json, HasSubstr(R"("views":1234)"));
}

TEST(PopularFeed, HostileTextIsInert) {
  const FeedOptions options{.site = "demo", .origin = "https://news.example"};
  for (const char* url : {"javascript:alert(1)", "data:text/html,x", "//evil.example/x", "ftp://x"}) {
    const auto list = ListWith("news:1", "<script>alert(1)</script>]]>\x01", url);
    EXPECT_THAT(RssOf(list, options), Not(HasSubstr("<script")));
    EXPECT_THAT(RssOf(list, options), Not(HasSubstr("\x01")));
    EXPECT_THAT(RssOf(list, options), Not(HasSubstr(url)));
    EXPECT_THAT(JsonFeedOf(list, options), Not(HasSubstr("\"url\"")));
  }
}

TEST(PopularFeed, AnIdLeadsToNoOtherHost) {
  const FeedOptions options{.site = "demo", .origin = "https://news.example"};
  for (const char* id : {"https://evil.example/x", "//evil.example/x", "/\\evil.example", "http://news.example.evil/x",
                         "https://news.example.evil/x"}) {
    EXPECT_THAT(JsonFeedOf(ListWith(id, "", ""), options), Not(HasSubstr("\"url\""))) << id;
  }
  EXPECT_THAT(JsonFeedOf(ListWith("https://news.example/x", "", ""), options),
              HasSubstr(R"("url":"https://news.example/x")"));
}

}  // namespace
}  // namespace viewcount
