#include "client/cli/sitemap_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/client/feed_fixture.h"

namespace viewcount::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kNewsSitemap[] = R"(<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"
        xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"
        xmlns:x="http://www.w3.org/1999/xhtml">
  <url>
    <loc> https://news.example.org/tin/1?id=7&amp;utm_source=x </loc>
    <lastmod>2026-11-30</lastmod>
    <x:link rel="alternate" hreflang="en" href="https://news.example.org/en/1"/>
    <n:news>
      <n:publication><n:name>Portal</n:name><n:language>vi</n:language></n:publication>
      <n:publication_date>2026-11-29T07:00:00+07:00</n:publication_date>
      <n:title>Mưa
         ngày <![CDATA[<mai> &]]></n:title>
      <n:keywords>mưa, thời tiết , , mưa</n:keywords>
    </n:news>
    <i:image><i:loc>https://news.example.org/1.jpg</i:loc></i:image>
    <i:image><i:loc>https://news.example.org/2.jpg</i:loc></i:image>
  </url>
  <url><lastmod>2026</lastmod></url>
</urlset>)";

TEST(SitemapReader, ReadsNewsAndImages) {
  // A text may be cut anywhere, also within a character.
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{64}, std::string_view::npos}) {
    const auto read = ReadSitemapText(kNewsSitemap, piece);
    ASSERT_TRUE(read.status.ok()) << read.status;
    ASSERT_EQ(read.entries.size(), 2u);
    const FeedEntry& entry = read.entries[0];
    EXPECT_EQ(entry.line, 6u);
    EXPECT_EQ(entry.link, "https://news.example.org/tin/1?id=7&utm_source=x");
    EXPECT_EQ(entry.last_modified, "2026-11-30");
    EXPECT_EQ(entry.published, "2026-11-29T07:00:00+07:00");
    EXPECT_EQ(entry.title, "Mưa ngày <mai> &");
    EXPECT_EQ(entry.language, "vi");
    EXPECT_THAT(entry.tags, ElementsAre("mưa", "thời tiết"));
    EXPECT_EQ(entry.image_url, "https://news.example.org/1.jpg");
    EXPECT_EQ(read.entries[1].link, "");
    EXPECT_EQ(read.entries[1].line, 20u);
  }
}

TEST(SitemapReader, ReadsAnIndex) {
  const auto read = ReadSitemapText(
      "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>https://a/1.xml.gz</loc>"
      "<lastmod>2026-11-30</lastmod></sitemap><sitemap><loc>https://a/2.xml</loc></sitemap></sitemapindex>");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.entries, IsEmpty());
  EXPECT_THAT(read.children, ElementsAre("https://a/1.xml.gz", "https://a/2.xml"));
}

TEST(SitemapReader, NamespacesMayBeMissingOrHaveHttps) {
  for (const char* attribute : {"", "xmlns='https://www.sitemaps.org/schemas/sitemap/0.9/'"}) {
    const auto read = ReadSitemapText(std::string("<urlset ") + attribute + "><url><loc>/a</loc></url></urlset>");
    ASSERT_EQ(read.entries.size(), 1u) << read.status;
    EXPECT_EQ(read.entries[0].link, "/a");
  }
}

TEST(SitemapReader, ElementsOfOtherNamespacesAreNoAddresses) {
  const auto read = ReadSitemapText(
      "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:v='urn:video'><url><v:loc>/video</v:loc>"
      "<v:video><loc>/nested</loc></v:video><loc>/page</loc><loc>/second</loc></url></urlset>");
  ASSERT_EQ(read.entries.size(), 1u) << read.status;
  EXPECT_EQ(read.entries[0].link, "/page");
}

TEST(SitemapReader, OtherDocumentsAreNamed) {
  const auto feed = ReadSitemapText("<rss><channel/></rss>");
  EXPECT_THAT(feed.message(), HasSubstr("line 1, column 1: the element rss begins no sitemap; this is a feed"));
  EXPECT_FALSE(feed.understood);
  EXPECT_THAT(ReadSitemapText("<html></html>").message(), HasSubstr("the element html begins no sitemap"));
  EXPECT_THAT(ReadSitemapText("no XML").message(), HasSubstr("line 1, column 1: "));
  EXPECT_THAT(ReadSitemapText("").message(), HasSubstr("no element found"));
  EXPECT_TRUE(ReadSitemapText("<urlset></urlset>").understood);
}

TEST(SitemapReader, EntriesBeforeAnErrorAreRead) {
  const auto read = ReadSitemapText("<urlset><url><loc>/a</loc></url>\n<url><loc>/b</wrong></url></urlset>");
  EXPECT_EQ(read.entries.size(), 1u);
  EXPECT_THAT(read.message(), HasSubstr("line 2, column 15: mismatched tag"));
  EXPECT_TRUE(read.understood);
}

}  // namespace
}  // namespace viewcount::cli
