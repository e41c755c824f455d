// Tests what hostile documents could do: entities, depth, size, encodings.
#include "client/cli/xml_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/unit/client/feed_fixture.h"

namespace viewcount::cli {
namespace {

using ::testing::HasSubstr;

std::string Sitemap(std::string_view prolog, std::string_view location) {
  return fmt::format("{}<urlset><url><loc>{}</loc></url></urlset>", prolog, location);
}

TEST(XmlReader, DeclaredEntitiesAreRefused) {
  const auto bomb = ReadSitemapText(
      Sitemap("<!DOCTYPE x [\n<!ENTITY a 'aaaaaaaaaa'>\n<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>", "&b;"));
  EXPECT_THAT(bomb.message(), HasSubstr("line 2, column"));
  EXPECT_THAT(bomb.message(), HasSubstr("declares the entity a"));
  EXPECT_TRUE(bomb.entries.empty());
  const auto file = ReadSitemapText(Sitemap("<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>", "&f;"));
  EXPECT_THAT(file.message(), HasSubstr("declares the entity f"));
  const auto parameter =
      ReadSitemapText(Sitemap("<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/x'> %p;]>", "a"));
  EXPECT_THAT(parameter.message(), HasSubstr("declares the entity p"));
}

TEST(XmlReader, ExternalDefinitionsAreNotLoaded) {
  const char* const prolog = "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'file:///dev/zero'>";
  EXPECT_EQ(ReadSitemapText(Sitemap(prolog, "/a")).entries.size(), 1u);
  EXPECT_THAT(ReadSitemapText(Sitemap(prolog, "/&eacute;")).message(), HasSubstr("the entity eacute is not defined"));
  EXPECT_THAT(ReadSitemapText(Sitemap("", "/&nbsp;")).message(), HasSubstr("line 1, column 20: undefined entity"));
}

TEST(XmlReader, DeepElementsAreRefused) {
  std::string document = "<urlset>\n";
  for (size_t i = 0; i < kXmlDepthMax; ++i) document += "<a>";
  EXPECT_THAT(ReadSitemapText(document).message(),
              HasSubstr("line 2, column 298: elements are nested deeper than 100"));
}

TEST(XmlReader, ManyNamesAreRefused) {
  std::string document = "<urlset>";
  for (size_t i = 0; i < kXmlNamesMax; ++i) document += fmt::format("<a{}/>", i);
  EXPECT_THAT(ReadSitemapText(document).message(), HasSubstr("more than 4096 different names"));
  document = "<urlset>";
  for (size_t i = 0; i < kXmlNamesMax; ++i) document += fmt::format("<a x{}=''/>", i);
  EXPECT_THAT(ReadSitemapText(document).message(), HasSubstr("more than 4096 different names"));
  document = "<urlset>";
  for (size_t i = 0; i < kXmlNamesMax; ++i) document += fmt::format("<a xmlns:p{}='urn:x'/>", i);
  EXPECT_THAT(ReadSitemapText(document).message(), HasSubstr("more than 4096 different names"));
}

TEST(XmlReader, LongTagsAreRefused) {
  const std::string spaces(2 * kXmlTokenBytesMax, ' ');
  for (const std::string& document :
       {"<urlset><a b='" + spaces, "<urlset><!--" + spaces, "<urlset><?a " + spaces, "<urlset" + spaces}) {
    EXPECT_THAT(ReadSitemapText(document).message(), HasSubstr("has more than 1048576 bytes"));
  }
}

// 50 MB of each kind of document take a few MB of memory and about a second.
TEST(XmlReader, LargeDocumentsTakeLittleMemory) {
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  constexpr size_t kDocumentBytes = 50 << 20;
  uint64_t entries = 0;
  SitemapReader handler(
      [&](const FeedEntry&) {
        ++entries;
        return absl::OkStatus();
      },
      [](const std::string&) { return absl::OkStatus(); });
  XmlReader reader(handler);
  std::string some = "<url><loc>https://news.example.org/tin/1</loc><lastmod>2026-11-30</lastmod>";
  some += std::string(400, ' ') + "</url>\n";
  while (some.size() < (64 << 10)) some += some;
  const std::string long_text(64 << 10, 'x');
  const auto before = peak();
  ASSERT_TRUE(reader.Read("<urlset>").ok());
  for (size_t bytes = 0; bytes < kDocumentBytes; bytes += some.size()) ASSERT_TRUE(reader.Read(some).ok());
  ASSERT_TRUE(reader.Read("<url><loc>").ok());
  for (size_t bytes = 0; bytes < kDocumentBytes; bytes += long_text.size()) ASSERT_TRUE(reader.Read(long_text).ok());
  ASSERT_TRUE(reader.Read("</loc></url></urlset>").ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_GT(entries, kDocumentBytes / 600);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
  EXPECT_LT(peak() - before, 4'096) << "KiB";
#else
  static_cast<void>(before);
#endif
}

TEST(XmlReader, KnowsEncodings) {
  const auto read = [](std::string_view encoding, std::string_view text) {
    const auto result = ReadSitemapText(Sitemap(fmt::format("<?xml version='1.0' encoding='{}'?>", encoding), text));
    return result.entries.empty() ? result.message() : result.entries[0].link;
  };
  EXPECT_EQ(read("utf-8", "/đ"), "/đ");
  EXPECT_EQ(read("ISO-8859-1", "/\xE9"), "/é");
  EXPECT_EQ(read("windows-1252", "/\x80"), "/€");
  EXPECT_EQ(read("windows-1258", "/\xF0"), "/đ");
  EXPECT_EQ(read("KOI8-R", "/\xC1"), "/а");
  EXPECT_THAT(read("Shift_JIS", "/a"), HasSubstr("the encoding Shift_JIS is not known"));
  EXPECT_THAT(read("GB18030", "/a"), HasSubstr("the encoding GB18030 is not known"));
  EXPECT_THAT(read("x//TRANSLIT", "/a"), HasSubstr("line 1"));
  EXPECT_THAT(read("none", "/a"), HasSubstr("the encoding none is not known"));
  EXPECT_THAT(read("utf-8", "/\xFF"), HasSubstr("not well-formed (invalid token)"));
  EXPECT_THAT(read("utf-8", std::string_view("/\0", 2)), HasSubstr("not well-formed"));
}

TEST(XmlReader, ReadsUtf16) {
  std::string document = "\xFF\xFE";
  for (const char c : Sitemap("", "/a")) document += {c, '\0'};
  EXPECT_EQ(ReadSitemapText(document, 1).entries.size(), 1u);
}

TEST(XmlReader, BrokenDocumentsHaveAPosition) {
  EXPECT_THAT(ReadSitemapText("<urlset>\n\n  <url").message(), HasSubstr("line 3, column 3: unclosed token"));
  EXPECT_THAT(ReadSitemapText("<urlset>\n").message(), HasSubstr("line 2, column 1: no element found"));
  EXPECT_THAT(ReadSitemapText("<urlset/><urlset/>").message(), HasSubstr("junk after document element"));
  EXPECT_THAT(ReadSitemapText("<urlset a='1' a='2'/>").message(), HasSubstr("duplicate attribute"));
  EXPECT_THAT(ReadSitemapText("<urlset><n:url/></urlset>").message(), HasSubstr("unbound prefix"));
}

TEST(XmlReader, ErrorsOfTheHandlerEndTheReading) {
  int entries = 0;
  SitemapReader handler(
      [&](const FeedEntry&) {
        ++entries;
        return absl::UnavailableError("away");
      },
      [](const std::string&) { return absl::OkStatus(); });
  const auto status = ReadInPieces(handler, "<urlset><url></url><url></url></urlset>", 1'000);
  EXPECT_EQ(status, absl::UnavailableError("away"));
  EXPECT_EQ(entries, 1);
}

TEST(ShortXmlName, HasAPrefixForEachKnownNamespace) {
  EXPECT_EQ(ShortXmlName("loc"), "loc");
  EXPECT_EQ(ShortXmlName("http://www.w3.org/2005/Atom link"), "atom:link");
  EXPECT_EQ(ShortXmlName("urn:unknown link"), "?:link");
}

}  // namespace
}  // namespace viewcount::cli
