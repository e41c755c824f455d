#include "client/cli/feed_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/client/feed_fixture.h"

namespace viewcount::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FeedReader, ReadsRss) {
  const std::string_view document = R"(<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"
     xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel>
  <title>Portal</title><link>https://news.example.org/</link><language>vi-VN</language>
  <atom:link href="https://news.example.org/rss" rel="self"/>
  <image><title>Logo</title><url>https://news.example.org/logo.png</url><link>https://news.example.org/</link></image>
  <item>
    <title><![CDATA[Q&amp;A: 5 < 6]]></title>
    <link>https://news.example.org/1</link>
    <guid isPermaLink="false">news-1</guid>
    <pubDate>Mon, 30 Nov 2026 07:00:00 +0700</pubDate>
    <author>an@example.org (An Nguyen)</author>
    <category domain="x">Thể thao</category><category>Bóng đá</category><category>Thể thao</category>
    <enclosure url="https://news.example.org/1.mp3" type="audio/mpeg" length="1"/>
    <enclosure url="https://news.example.org/1.jpg" type="image/jpeg" length="1"/>
    <content:encoded>long &lt;p&gt;</content:encoded>
    <source url="https://other.example.org/"><title>Other</title></source>
  </item>
  <item>
    <guid>https://news.example.org/2</guid><title>Two</title><author>x@example.org</author>
    <dc:creator>Bình</dc:creator><dc:creator>Chi</dc:creator><dc:date>2026-11-29</dc:date>
    <media:group><media:content url="https://news.example.org/2.png" medium="image"/></media:group>
    <media:thumbnail url="https://news.example.org/thumb.png"/>
  </item>
  <item><guid isPermaLink="false">https://news.example.org/3</guid>
    <media:thumbnail url="https://news.example.org/thumb.png"/></item>
</channel></rss>)";
  for (const size_t piece : {size_t{1}, size_t{7}, std::string_view::npos}) {
    const auto read = ReadFeedText(document, piece);
    ASSERT_TRUE(read.status.ok()) << read.status;
    ASSERT_EQ(read.entries.size(), 3u);
    const FeedEntry& first = read.entries[0];
    EXPECT_EQ(first.title, "Q&A: 5 < 6");
    EXPECT_EQ(first.link, "https://news.example.org/1");
    EXPECT_EQ(first.guid, "news-1");
    EXPECT_EQ(first.published, "Mon, 30 Nov 2026 07:00:00 +0700");
    EXPECT_THAT(first.authors, ElementsAre("An Nguyen"));
    EXPECT_THAT(first.categories, ElementsAre("Thể thao", "Bóng đá"));
    EXPECT_EQ(first.image_url, "https://news.example.org/1.jpg");
    EXPECT_EQ(first.language, "vi-VN");
    const FeedEntry& second = read.entries[1];
    EXPECT_EQ(second.link, "https://news.example.org/2");
    EXPECT_THAT(second.authors, ElementsAre("Bình", "Chi"));
    EXPECT_EQ(second.published, "2026-11-29");
    EXPECT_EQ(second.image_url, "https://news.example.org/2.png");
    EXPECT_EQ(read.entries[2].link, "");
    EXPECT_EQ(read.entries[2].image_url, "https://news.example.org/thumb.png");
  }
}

TEST(FeedReader, ReadsAtom) {
  const auto read = ReadFeedText(R"(<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi">
  <title>Portal</title><author><name>Toà soạn</name></author>
  <entry>
    <title type="html">Rain &lt;b&gt;tomorrow&lt;/b&gt; &amp;#273;</title>
    <link rel="self" href="https://news.example.org/1.atom"/>
    <link rel="alternate" href="https://news.example.org/1"/><link href="https://news.example.org/other"/>
    <link rel="enclosure" type="image/png" href="https://news.example.org/1.png"/>
    <id>tag:news.example.org,2026:1</id>
    <updated>2026-11-30T08:00:00Z</updated><published>2026-11-29T08:00:00Z</published>
    <author><name>An</name><uri>https://an.example.org/</uri></author><author><name>Chi</name></author>
    <category term="sport" label="Thể thao"/><category term="football"/>
    <source><id>other</id><title>Other</title><author><name>Other</name></author></source>
  </entry>
  <entry xml:lang="en"><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>bold</b> title</div></title>
    <link href="/2"/><updated>2026-11-30T08:00:00Z</updated></entry>
</feed>)");
  ASSERT_TRUE(read.status.ok()) << read.status;
  ASSERT_EQ(read.entries.size(), 2u);
  const FeedEntry& first = read.entries[0];
  EXPECT_EQ(first.title, "Rain tomorrow đ");
  EXPECT_EQ(first.link, "https://news.example.org/1");
  EXPECT_EQ(first.guid, "tag:news.example.org,2026:1");
  EXPECT_EQ(first.published, "2026-11-29T08:00:00Z");
  EXPECT_THAT(first.authors, ElementsAre("An", "Chi"));
  EXPECT_THAT(first.categories, ElementsAre("Thể thao", "football"));
  EXPECT_EQ(first.image_url, "https://news.example.org/1.png");
  EXPECT_EQ(first.language, "vi");
  const FeedEntry& second = read.entries[1];
  EXPECT_EQ(second.title, "A bold title");
  EXPECT_EQ(second.link, "/2");
  EXPECT_EQ(second.published, "2026-11-30T08:00:00Z");
  EXPECT_THAT(second.authors, ElementsAre("Toà soạn"));
  EXPECT_EQ(second.language, "en");
}

TEST(FeedReader, ReadsRdf) {
  const auto read = ReadFeedText(R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel rdf:about="https://a/"><title>Portal</title><link>https://a/</link><dc:language>fr</dc:language></channel>
  <item rdf:about="https://a/1"><title>One</title><link>https://a/1</link><dc:subject>Sport</dc:subject>
    <dc:creator>An</dc:creator><dc:date>2026-11-30T00:00:00Z</dc:date></item></rdf:RDF>)");
  ASSERT_EQ(read.entries.size(), 1u) << read.status;
  EXPECT_EQ(read.entries[0].guid, "https://a/1");
  EXPECT_EQ(read.entries[0].title, "One");
  EXPECT_THAT(read.entries[0].categories, ElementsAre("Sport"));
  EXPECT_EQ(read.entries[0].language, "fr");
}

TEST(FeedReader, OtherDocumentsAreNamed) {
  EXPECT_THAT(ReadFeedText("<urlset/>").message(), HasSubstr("begins no feed; this is a sitemap"));
  EXPECT_THAT(ReadFeedText("<html/>").message(), HasSubstr("the element html begins no feed"));
}

TEST(FeedReader, ListsAndTextsAreBounded) {
  std::string document = "<rss><channel><item><title>" + std::string(3 * kFeedTextBytesMax, 'x') + "</title>";
  for (int i = 0; i < 1'000; ++i) document += "<category>" + std::to_string(i) + "</category>";
  const auto read = ReadFeedText(document + "</item></channel></rss>");
  ASSERT_EQ(read.entries.size(), 1u) << read.status;
  EXPECT_EQ(read.entries[0].title.size(), kFeedTextBytesMax);
  EXPECT_EQ(read.entries[0].categories.size(), kFeedLabelsMax);
}

TEST(PlainText, DecodesReferencesOnce) {
  EXPECT_EQ(PlainText("a &amp;lt; b", false), "a &lt; b");
  EXPECT_EQ(PlainText("&#65;&#x42;&#xD800;&#0;&unknown; & &", false), "AB&#xD800;&#0;&unknown; & &");
  EXPECT_EQ(PlainText("a <b>c</b> <d", true), "a c <d");
  EXPECT_EQ(PlainText("&#128512;&#7893;&eacute;", false), "😀ổ&eacute;");
}

TEST(ElementText, IsCutBetweenCharacters) {
  ElementText text;
  text.Add(std::string(kFeedTextBytesMax - 1, 'x'));
  text.Add("ổ");
  EXPECT_EQ(text.Take(), std::string(kFeedTextBytesMax - 1, 'x'));
  EXPECT_EQ(text.Take(), "");
}

}  // namespace
}  // namespace viewcount::cli
