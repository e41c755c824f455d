#include "service/addresses/article_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount {
namespace {

std::string Id(std::string_view address, const ArticleRuleSettings& settings = {},
               AddressKind kind = AddressKind::kRequested) {
  const auto rule = ArticleRule::Make(settings);
  if (!rule.ok()) return "bad rule: " + std::string(rule.status().message());
  const auto named = rule->Name(address, kind);
  return named.ok() ? named->article_id : "refused: " + std::string(named.status().message());
}

std::string CanonicalId(std::string_view address, const ArticleRuleSettings& settings = {}) {
  return Id(address, settings, AddressKind::kCanonical);
}

NamedArticle Named(std::string_view address, const ArticleRuleSettings& settings = {}) {
  return *ArticleRule::Make(settings)->Name(address);
}

TEST(ArticleRuleTest, KeepsAPlainPath) {
  for (const char* path : {"/", "/tin/1", "/a.b-c_d~e", "/a/", "/a//b", "/a;v=1", "/~me/!$&'()*+,;=:@"}) {
    EXPECT_EQ(Id(path), path);
  }
}

TEST(ArticleRuleTest, LeavesOutHostAndFragment) {
  EXPECT_EQ(Id("https://news.example.org/tin/1#cmt"), "/tin/1");
  EXPECT_EQ(Id("HTTP://News.example.org:8080/tin/1"), "/tin/1");
  EXPECT_EQ(Id("https://news.example.org"), "/");
  EXPECT_EQ(Id("https://news.example.org?id=3"), "/?id=3");
  EXPECT_EQ(Id("https://news.example.org#/a"), "/");
  EXPECT_EQ(Id("/tin/1#x?id=3"), "/tin/1");
}

TEST(ArticleRuleTest, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", " ", "tin/1", "news:3933", "ftp://a/b", "javascript:alert(1)", "?id=3", "#a", "http:/a"}) {
    EXPECT_EQ(Id(text), "refused: must begin with /, http:// or https://") << text;
  }
  EXPECT_EQ(Id("/" + std::string(512, 'a')), "refused: its article ID would be longer than 512 bytes");
  EXPECT_EQ(Id("/" + std::string(511, 'a')).size(), 512U);
  EXPECT_EQ(Id("/a?utm_source=" + std::string(9000, 'a')), "/a");
  EXPECT_EQ(Id("/a?utm_source=" + std::string(20000, 'a')), "refused: is longer than 16384 bytes");
}

TEST(ArticleRuleTest, TakesEverySpellingOfVietnameseForOne) {
  for (const char* address : {
           "/tin-tức/bài-1",
           "/tin-t%E1%BB%A9c/b%C3%A0i-1",
           "/tin-t%e1%bb%a9c/b%c3%a0i-1",
           "/%74in-t%E1%BB%A9c/b%C3%A0i-1",
           "/tin%2Dt%E1%BB%A9c/b%C3%A0i%2d1",
           "/tin-t%E1\xBB\xA9"
           "c/ba%CC%80i-1",  // partly escaped, and decomposed
           "/tin-tu\xCC\x9B\xCC\x81"
           "c/ba\xCC\x80i-1",  // decomposed, as macOS writes it
           "https://a.example/tin-t%E1%BB%A9c/b%C3%A0i-1#cmt",
       }) {
    EXPECT_EQ(Id(address), "/tin-tức/bài-1") << address;
  }
}

TEST(ArticleRuleTest, KeepsOtherEscapesInUpperCase) {
  EXPECT_EQ(Id("/a%2fb%3f%23%25%20%7c"), "/a%2Fb%3F%23%25%20%7C");
  EXPECT_EQ(Id("/100%"), "/100%25");
  EXPECT_EQ(Id("/%4"), "/%254");
  EXPECT_EQ(Id("/%zz"), "/%25zz");
  EXPECT_EQ(Id("/%%41"), "/%25A");
  EXPECT_EQ(Id("/%00%1f%7F"), "/%00%1F%7F");
  EXPECT_EQ(Id("/a b\"<>`{}|^[]"), "/a%20b%22%3C%3E%60%7B%7D%7C%5E%5B%5D");
  EXPECT_EQ(Id("/a\\b"), "/a/b");
  EXPECT_EQ(Id("  /a\tb\r\n "), "/ab");
}

TEST(ArticleRuleTest, EscapesWhatIsNoPrintableUtf8) {
  EXPECT_EQ(Id("/caf\xE9"), "/caf%E9");  // Latin-1
  EXPECT_EQ(Id("/caf%e9"), "/caf%E9");
  EXPECT_EQ(Id("/%C0%AF"), "/%C0%AF");          // overlong
  EXPECT_EQ(Id("/%ED%A0%80"), "/%ED%A0%80");    // a surrogate
  EXPECT_EQ(Id("/a\xC2\xA0z"), "/a%C2%A0z");    // a no-break space
  EXPECT_EQ(Id("/%E2%80%AEz"), "/%E2%80%AEz");  // right-to-left override
  EXPECT_EQ(Id("/\xC2\x85"), "/%C2%85");        // a control character
  EXPECT_EQ(Id("/%EE%80%80"), "/%EE%80%80");    // private use
  EXPECT_EQ(Id("/%E4%BD%A0%E5%A5%BD%F0%9F%98%80"), "/你好😀");
}

TEST(ArticleRuleTest, ComposesOnlyBetweenEscapes) {
  // The E belongs to the escape of >.
  EXPECT_EQ(Id("/%3E%CC%81"), "/%3E\xCC\x81");
  // The normal form of the Greek question mark is a semicolon, that of U+1FEF a grave accent.
  EXPECT_EQ(Id("/a%CD%BEjsessionid=1"), "/a");
  EXPECT_EQ(Id("/a%E1%BF%AF"), "/a%60");
}

TEST(ArticleRuleTest, RemovesSessions) {
  EXPECT_EQ(Id("/tin/1;jsessionid=0A1B.node1"), "/tin/1");
  EXPECT_EQ(Id("/tin;JSESSIONID=0A1B/1;v=2;jsessionid=1;w"), "/tin/1;v=2;w");
  EXPECT_EQ(Id("/tin/1;jsessionid=0A1B?id=3"), "/tin/1?id=3");
  EXPECT_EQ(Id("/;jsessionid=1"), "/");
  EXPECT_EQ(Id("/(S(lit3py55t21z5v55vlm25s55))/news.aspx"), "/news.aspx");
  EXPECT_EQ(Id("/app/(A(x)F(y)S(z))/news.aspx"), "/app/news.aspx");
  EXPECT_EQ(Id("/(S)/a"), "/(S)/a");
  EXPECT_EQ(Id("/()/a"), "/()/a");
  EXPECT_EQ(Id("/(Sx)/a"), "/(Sx)/a");
}

TEST(ArticleRuleTest, RemovesDotSegments) {
  EXPECT_EQ(Id("/./tin/1"), "/tin/1");
  EXPECT_EQ(Id("/tin/x/../1"), "/tin/1");
  EXPECT_EQ(Id("/tin/x/%2e%2E/1"), "/tin/1");
  EXPECT_EQ(Id("/../../a"), "/a");
  EXPECT_EQ(Id("/a/.."), "/");
  EXPECT_EQ(Id("/a/b/."), "/a/b/");
  EXPECT_EQ(Id("/a/.b/..c"), "/a/.b/..c");
}

TEST(ArticleRuleTest, KeepsTheParametersThatNameAnArticle) {
  EXPECT_EQ(Id("/news.aspx?id=3933"), "/news.aspx?id=3933");
  EXPECT_EQ(Id("/news.aspx?ID=3933&fbclid=x"), "/news.aspx?id=3933");
  EXPECT_EQ(Id("/Pages/news.aspx?itemid=17"), "/Pages/news.aspx?ItemID=17");
  EXPECT_EQ(Id("/index.php?p=13&utm_source=zalo&page=2"), "/index.php?p=13");
  EXPECT_EQ(Id("/a?p=2&id=1"), "/a?id=1&p=2");
  EXPECT_EQ(Id("/a?id=2&id=1"), "/a?id=2&id=1");
  EXPECT_EQ(Id("/a?x=1&amp;id=2"), "/a?id=2");
  EXPECT_EQ(Id("/a?id=a+b"), Id("/a?id=a%20b"));
  EXPECT_EQ(Id("/a?id=a%2bb"), "/a?id=a%2Bb");
  EXPECT_EQ(Id("/a?id="), "/a");
  EXPECT_EQ(Id("/a?"), "/a");
  EXPECT_EQ(Id("/a?&&=&"), "/a");
  EXPECT_EQ(Id("/a?b?id=1"), "/a");
  EXPECT_EQ(Id("/a?%69d=t%E1%BB%A9c"), "/a?id=tức");
}

TEST(ArticleRuleTest, FollowsTheSitesParameters) {
  const ArticleRuleSettings settings{.parameters = {"ArtID", "v"}};
  EXPECT_EQ(Id("/xem.php?ss=2&V=566565&artid=3&id=9", settings), "/xem.php?ArtID=3&v=566565");
  EXPECT_EQ(Id("/xem.php?id=9", {.drop_query = true}), "/xem.php");
}

TEST(ArticleRuleTest, KeepsTheQueryOfACanonicalAddress) {
  EXPECT_EQ(CanonicalId("/news.aspx?view=full&ItemID=3"), "/news.aspx?ItemID=3&view=full");
  EXPECT_EQ(CanonicalId("/index.php?/archives/4015-Chao.html"), "/index.php?/archives/4015-Chao.html");
  EXPECT_EQ(CanonicalId("/a?b=&utm_campaign=x&_ga=1&PHPSESSID=2"), "/a?b");
}

TEST(ArticleRuleTest, NamesWhatItDrops) {
  const NamedArticle named = Named("/xem.php?ss=2&v=566565&utm_source=x&id=&fbclid=1");
  EXPECT_EQ(named.article_id, "/xem.php");
  const std::vector<std::pair<std::string, std::string>> dropped = {{"ss", "2"}, {"v", "566565"}};
  EXPECT_EQ(named.dropped, dropped);
}

TEST(ArticleRuleTest, JoinsVariantsByChoiceOfTheSite) {
  const ArticleRuleSettings settings{
      .fold_case = true, .strip_trailing_slash = true, .index_names = {"index.html", "index.php", "default.aspx"}};
  for (const char* address : {"/tin/1", "/tin/1/", "//tin/1", "/tin//1", "/Tin/1", "/tin/1;jsessionid=0A", "/./tin/1",
                              "/tin/x/../1", "/tin/1/index.html", "/tin/1//Index.PHP/"}) {
    EXPECT_EQ(Id(address, settings), "/tin/1") << address;
  }
  for (const char* address : {"/", "//", "/index.html", "/Default.aspx", "/?utm_source=zalo", "/index.php/index.php"}) {
    EXPECT_EQ(Id(address, settings), "/") << address;
  }
  EXPECT_EQ(Id("/TIN-TỨC/%c3%80", settings), "/tin-tức/à");
  EXPECT_EQ(Id("/A%2FB", settings), "/a%2Fb");
  EXPECT_EQ(Id("/A?ID=X", settings), "/a?id=X");
  EXPECT_EQ(Id("/tin/1/", {.strip_trailing_slash = true}), "/tin/1");
  EXPECT_EQ(Id("/tin/index.html", {.index_names = {"index.html"}}), "/tin/");
}

TEST(ArticleRuleTest, LeavesOutWellKnownPaths) {
  for (const char* address : {"/feed/", "/feed", "/wp-json/", "/wp-json/wp/v2/posts?x=1", "/wp-login.php",
                              "/wp-cron.php?a", "/xmlrpc.php", "/.well-known/security", "/healthz", "/server-status"}) {
    EXPECT_TRUE(Named(address).excluded) << address;
    EXPECT_FALSE(Named(address, {.count_well_known_paths = true}).excluded) << address;
  }
  for (const char* address : {"/", "/feed/1", "/wp-json-guide", "/a/healthz", "/?a=/feed/"}) {
    EXPECT_FALSE(Named(address).excluded) << address;
  }
}

TEST(ArticleRuleTest, FollowsTheSitesExcludedPaths) {
  const ArticleRuleSettings settings{.fold_case = true,
                                     .index_names = {"index.html"},
                                     .excluded_paths = {"/Tìm-kiếm*", "*/print", "/in/index.html", "/%61dmin/"}};
  for (const char* address :
       {"/tìm-kiếm", "/T%C3%ACm-ki%E1%BA%BFm/x", "/a/b/print", "/a/print/", "/in/index.html", "/admin", "/feed/"}) {
    EXPECT_TRUE(Named(address, settings).excluded) << address;
  }
  for (const char* address : {"/a/tìm-kiếm", "/a/printer", "/in/a", "/administration"}) {
    EXPECT_FALSE(Named(address, settings).excluded) << address;
  }
}

TEST(ArticleRuleTest, HintsAtParametersThatDistinguishAddressesOfOnePath) {
  const ArticleRule rule;
  const auto see = [&](const char* address) { EXPECT_TRUE(rule.Name(address).ok()) << address; };
  for (const char* address : {"/xem.php?MaTin=1&utm_source=a", "/xem.php?MaTin=1&utm_source=b", "/wp-login.php?x=1",
                              "/wp-login.php?x=2", "/a.css?v=1", "/a.css?v=2", "/b?page=7"}) {
    see(address);
  }
  EXPECT_EQ(rule.DroppedHint("portal"), "") << "each path has one address only";
  see("/xem.php?MaTin=2&lang=vi");
  const std::string hint =
      "1 address has parameters that the site's rule drops: /xem.php (MaTin, lang); if they name articles: viewcount "
      "site put portal --add-article-parameter MaTin";
  EXPECT_EQ(rule.DroppedHint("portal"), hint);
  EXPECT_EQ(rule.DroppedHint("portal", "/xem.php"), hint);
  EXPECT_EQ(rule.DroppedHint("portal", "/xem.php?id=3"), hint);
  EXPECT_EQ(rule.DroppedHint("portal", "/b"), "");
  EXPECT_EQ(ArticleRule().DroppedHint("portal"), "") << "another rule";
  for (int i = 0; i < 10'000; ++i) see(("/p" + std::to_string(i) + "?a=1").c_str());
  EXPECT_EQ(rule.DroppedHint("portal"), hint) << "paths with one address make room first";
  see("/late.php?Tin=1");
  see("/late.php?Tin=2");
  EXPECT_NE(rule.DroppedHint("portal").find("/late.php (Tin)"), std::string::npos);
  // Anyone may send any name, and operators paste the command into a shell.
  for (const char* name : {"$(reboot)", ";x", "-x", "a'b", "a,b", "`x`"}) {
    const ArticleRule attacked;
    for (const char* value : {"=1", "=2"}) EXPECT_TRUE(attacked.Name(std::string("/a?") + name + value).ok());
    EXPECT_EQ(attacked.DroppedHint("portal").find("--add-article-parameter"), std::string::npos) << name;
  }
  const ArticleRule flooded;
  for (const char* value : {"=1", "=2"}) EXPECT_TRUE(flooded.Name("/a?" + std::string(9'000, 'x') + value).ok());
  EXPECT_EQ(flooded.DroppedHint("portal"), "");
  EXPECT_TRUE(rule.Name("/c?x=1", AddressKind::kCanonical)->dropped.empty());
}

TEST(ArticleRuleTest, KnowsFilesThatAreNoPages) {
  for (const char* address : {"/logo.svg", "/app.min.JS", "/a/b.pdf?id=1", "/a.css;jsessionid=1", "/a.zip#x"}) {
    EXPECT_TRUE(Named(address).is_static) << address;
  }
  for (const char* address : {"/phien-ban-2.0", "/nghi-dinh-13.2026", "/nguyen.van.a", "/bao.chn", "/news.do",
                              "/a.css/", "/index.shtml", "/a.", "/a.js/b", "/a;x.js", "/?x=a.js"}) {
    EXPECT_FALSE(Named(address).is_static) << address;
  }
  const ArticleRuleSettings settings{.static_extensions = {"CHN"}, .page_extensions = {"pdf"}};
  EXPECT_TRUE(Named("/bao.chn", settings).is_static);
  EXPECT_FALSE(Named("/a/b.PDF", settings).is_static);
}

TEST(ArticleRuleTest, RefusesSettingsThatCannotWork) {
  const auto refusal = [](const ArticleRuleSettings& settings) {
    return std::string(ArticleRule::Make(settings).status().message());
  };
  EXPECT_EQ(refusal({.parameters = {"id"}, .drop_query = true}),
            "site.drop_query: excludes article_parameters: either some parameters are kept or none");
  EXPECT_EQ(refusal({.parameters = {"utm_source"}}),
            "site.article_parameters: utm_source tells where a reader came from, so it is always dropped");
  EXPECT_EQ(refusal({.parameters = {"id", "ID"}}),
            "site.article_parameters: id occurs twice; capital letters do not matter");
  EXPECT_EQ(
      refusal({.parameters = {"a b"}}),
      "site.article_parameters: \"a b\" must be one name of 1 to 64 bytes, without spaces and the characters &=#?+%;,");
  EXPECT_EQ(refusal({.index_names = {"a/b"}}),
            "site.index_names: \"a/b\" must be one name of 1 to 64 bytes, without spaces and the characters /?#");
  EXPECT_EQ(
      refusal({.static_extensions = {".js"}}),
      "site.static_extensions: \".js\" must be one name of 1 to 64 bytes, without spaces and the characters ./?#");
  EXPECT_EQ(
      refusal({.excluded_paths = {"feed"}}),
      "site.excluded_paths: \"feed\" must be a path that begins with / or *, without spaces and query, of at most "
      "512 bytes");
  EXPECT_EQ(refusal({.excluded_paths = std::vector<std::string>(65, "/a")}), "site.excluded_paths: must be at most 64");
  EXPECT_EQ(refusal({.index_names = {""}}),
            "site.index_names: \"\" must be one name of 1 to 64 bytes, without spaces and the characters /?#");
}

TEST(ArticleRuleTest, SearchesASortedListOfExtensions) {
  EXPECT_TRUE(std::ranges::is_sorted(StaticExtensions()));
  EXPECT_GT(StaticExtensions().size(), 190U);
}

}  // namespace
}  // namespace viewcount
