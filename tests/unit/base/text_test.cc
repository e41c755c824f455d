#include "service/base/text.h"

#include <gtest/gtest.h>

#include <string>

#include "service/base/limits.h"

namespace viewcount {
namespace {

TEST(Text, ArticleIdsAreOneTo512BytesOfUtf8) {
  EXPECT_TRUE(IsArticleId("a"));
  EXPECT_TRUE(IsArticleId("/tin-tuc/Số lượt người xem"));
  EXPECT_TRUE(IsArticleId(std::string(limits::kArticleIdBytesMax, 'a')));
  EXPECT_FALSE(IsArticleId(""));
  EXPECT_FALSE(IsArticleId(std::string(limits::kArticleIdBytesMax + 1, 'a')));
}

TEST(Text, ArticleIdsHaveNoControlCharacters) {
  for (int c = 0; c < 0x20; ++c) EXPECT_FALSE(IsArticleId(std::string("a") + static_cast<char>(c) + "b")) << c;
  EXPECT_FALSE(IsArticleId("a\x7F"));
  EXPECT_FALSE(IsArticleId("a\xC2\x80"));
  EXPECT_FALSE(IsArticleId("a\xC2\x9F"));
  EXPECT_TRUE(IsArticleId("a\xC2\xA0"));
}

TEST(Text, IllFormedUtf8IsRefused) {
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xED\xBF\xBF", "\xE2\x82", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                          "\xF5\x80\x80\x80", "\xFF", "\xC2\x41", "\xF0\x9F\x98"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
    EXPECT_FALSE(IsArticleId(bad)) << bad;
  }
  for (const char* good : {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
}

TEST(Text, SiteNamesAreSafeInKeys) {
  EXPECT_TRUE(IsSiteName("portal"));
  EXPECT_TRUE(IsSiteName("news.example-1_a"));
  EXPECT_TRUE(IsSiteName(std::string(limits::kSiteNameBytesMax, 'a')));
  for (const char* bad : {"", "a:b", "a{b", "a b", ".hidden", "-x", "_x", "Số"}) EXPECT_FALSE(IsSiteName(bad)) << bad;
  EXPECT_FALSE(IsSiteName(std::string(limits::kSiteNameBytesMax + 1, 'a')));
}

TEST(Text, ThousandsAreGrouped) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1'000), "1,000");
  EXPECT_EQ(Grouped(123'456), "123,456");
  EXPECT_EQ(Grouped(~uint64_t{0}), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace viewcount
