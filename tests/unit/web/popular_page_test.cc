#include "service/web/popular_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PopularPage, TextsAreInertAndLinksAreOfTheWeb) {
  v1::ListPopularResponse list;
  auto& first = *list.add_articles();
  first.set_article_id("/a");
  first.set_title("</a><script>alert(1)</script>");
  first.set_url("https://news.example/a?x=\"1\"&y");
  first.set_views(1'234);
  auto& second = *list.add_articles();
  second.set_article_id("//evil.example/b");
  second.set_url("javascript:alert(1)");
  const std::string page = PopularPage(list, {.feed = {.site = "demo",
                                                       .origin = "https://news.example",
                                                       .vietnamese = true,
                                                       .grouping = *DigitGroupingOf("vi")},
                                              .theme = Theme::kDark,
                                              .oembed_address = "https://c.example/v1/oembed?a=1&b=\"2\""});
  EXPECT_THAT(page, HasSubstr("<html lang=\"vi\" class=\"dark\">"));
  EXPECT_THAT(page,
              HasSubstr("<li><a href=\"https://news.example/a?x=&quot;1&quot;&amp;y\" target=\"_top\" rel=\"noopener\">"
                        "&lt;/a&gt;&lt;script&gt;alert(1)&lt;/script&gt;</a> <small>1.234 lượt xem</small></li>"));
  EXPECT_THAT(page, HasSubstr("<li><span>//evil.example/b</span>"));
  EXPECT_THAT(page, HasSubstr("href=\"https://c.example/v1/oembed?a=1&amp;b=&quot;2&quot;\""));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(PopularPage, AnEmptyListSaysSo) {
  EXPECT_THAT(PopularPage({}, {.feed = {.site = "demo"}}), HasSubstr("<p>No views yet.</p>"));
  EXPECT_THAT(PopularPage({}, {.feed = {.site = "demo", .vietnamese = true}}), HasSubstr("<p>Chưa có lượt xem.</p>"));
}

}  // namespace
}  // namespace viewcount
