#include "client/cli/access_log.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "service/base/text.h"

namespace viewcount::cli {
namespace {

constexpr char kAgent[] = R"( "https://example.org/" "Mozilla/5.0 X11")";

std::string Line(const std::string& request, const std::string& status = "200", const std::string& rest = kAgent) {
  return "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"" + request + "\" " + status + " 5120" + rest;
}

// Returns the article of a page view, or else "(other)", "(bad)" or "(blank)".
std::string ArticleOf(const std::string& line) {
  const auto parsed = ParseAccessLogLine(line, ViewerSalt());
  switch (parsed.kind) {
    case LineKind::kPageView:
      return std::string(parsed.article_id);
    case LineKind::kOther:
      return "(other)";
    case LineKind::kBlank:
      return "(blank)";
    case LineKind::kBad:
      EXPECT_FALSE(parsed.problem.empty());
      return "(bad)";
  }
  return "";
}
std::string ArticleOfTarget(const std::string& target) { return ArticleOf(Line("GET " + target + " HTTP/1.1")); }

TEST(AccessLog, APageViewHasArticleTimeAndViewer) {
  const auto line = Line("GET /news/3933?utm=1#top HTTP/1.1");
  const auto parsed = ParseAccessLogLine(line, ViewerSalt());
  EXPECT_EQ(parsed.kind, LineKind::kPageView);
  EXPECT_EQ(parsed.article_id, "/news/3933");
  EXPECT_EQ(parsed.event_time_unix_ms, 1'431'857'103'000);
  EXPECT_NE(parsed.viewer, 0u);
}

TEST(AccessLog, PagesAreTellableByTheirExtension) {
  for (const char* page : {"/", "/a", "/a/", "/a.b/c", "/a.html", "/a.htm", "/a.php", "/a.asp", "/a.aspx", "/a.jsp",
                           "/a.HTML", "/a.PhP", "/a.min.html", "/1.2.3.html", "/a.", "//a", "/a.png/", "/.html"}) {
    EXPECT_EQ(ArticleOfTarget(page), page);
  }
  for (const char* none : {"/a.png", "/a.css", "/a.xhtml", "/a.html5", "/a.htmlx", "/a.php.txt", "/.env", "/v1.2",
                           "/a.tar.gz", "/a.xml", "/a. html", "/a.js?x=.html", "/a.png#.html"}) {
    EXPECT_EQ(ArticleOfTarget(none), "(other)") << none;
  }
}

TEST(AccessLog, QueryAndFragmentAreCutOff) {
  for (const char* target : {"/a?", "/a?b", "/a#b", "/a?b#c", "/a#b?c", "/a?b=/c.png", "/a??", "/a?b=c/d"}) {
    EXPECT_EQ(ArticleOfTarget(target), "/a") << target;
  }
  EXPECT_EQ(ArticleOfTarget("/?a"), "/");
}

TEST(AccessLog, AnAbsoluteTargetIsItsPath) {
  EXPECT_EQ(ArticleOfTarget("http://example.com/a?b"), "/a");
  EXPECT_EQ(ArticleOfTarget("HTTPS://example.com:8443/a"), "/a");
  EXPECT_EQ(ArticleOfTarget("http://example.com"), "/");
  EXPECT_EQ(ArticleOfTarget("http://example.com?a=/b"), "/");
  EXPECT_EQ(ArticleOfTarget("http://example.com/a.png"), "(other)");
  EXPECT_EQ(ArticleOfTarget("ftp://example.com/a"), "(bad)");
}

TEST(AccessLog, OnlySuccessfulGetsArePageViews) {
  for (const char* status : {"200", "201", "204", "206", "299", "304"}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", status)), "/a") << status;
  }
  for (const char* status : {"100", "301", "302", "303", "305", "400", "404", "500", "999", "000"}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", status)), "(other)") << status;
  }
  for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS", "get", "GETX"}) {
    EXPECT_EQ(ArticleOf(Line(std::string(method) + " /a HTTP/1.1")), "(other)") << method;
  }
  EXPECT_EQ(ArticleOf(Line("-", "408")), "(other)");
  EXPECT_EQ(ArticleOf(Line("", "400")), "(other)");
  EXPECT_EQ(ArticleOf(Line(R"(\x16\x03\x01)", "400")), "(other)");
}

TEST(AccessLog, BothFormatsAndWhateverFollowsThem) {
  for (const char* rest : {"", R"( "-" "-")", R"( "" "")", R"( "r" "a" "192.0.2.9" 0.003)", " 0.003 extra", " "}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", "200", rest)), "/a") << rest;
  }
}

TEST(AccessLog, OddButRightLines) {
  EXPECT_EQ(ArticleOf("2001:db8::1 - mary ann [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -"), "/a");
  EXPECT_EQ(ArticleOf("host.example - [x] \"y\" [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -"), "/a");
  EXPECT_EQ(ArticleOf(Line("GET /a")), "/a") << "HTTP/0.9";
  EXPECT_EQ(ArticleOf(Line("GET /a b HTTP/1.1")), "/a b");
  EXPECT_EQ(ArticleOf(Line(R"(GET /say-\"hi\" HTTP/1.1)")), R"(/say-\"hi\")") << "as logged";
  EXPECT_EQ(ArticleOf(Line(R"(GET /a\\ HTTP/1.1)")), R"(/a\\)");
  EXPECT_EQ(ArticleOf(Line("GET /%D0%BC HTTP/1.1")), "/%D0%BC") << "not decoded";
  EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1") + "\r"), "/a");
  EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", "200", " \"-\" \"control \x1b in the agent\"")), "/a");
}

TEST(AccessLog, BlankLinesAreNotBad) {
  for (const char* blank : {"", " ", "\r", "\t \r"}) EXPECT_EQ(ArticleOf(blank), "(blank)");
}

TEST(AccessLog, EveryCutLineIsBadOrWholeInItsFields) {
  const auto line = Line("GET /a HTTP/1.1");
  const size_t common = line.find(" \"https");
  for (size_t size = 1; size < line.size(); ++size) {
    // A line that is cut inside the number of bytes is still a whole line of the common log format.
    const bool whole = size > line.find(" 5120") + 1 && size <= common + 1;
    EXPECT_EQ(ArticleOf(line.substr(0, size)), whole ? "/a" : "(bad)") << line.substr(0, size);
  }
}

TEST(AccessLog, PathsThatCannotBeArticlesAreBad) {
  EXPECT_EQ(ArticleOfTarget("/" + std::string(511, 'x')).size(), 512u);
  EXPECT_EQ(ArticleOfTarget("/" + std::string(512, 'x')), "(bad)");
  EXPECT_EQ(ArticleOfTarget("/a?" + std::string(8'000, 'x')), "/a");
  for (const char* path : {"/\xFF", "/\xC0\x80", "/\xE1\xBB", "/a\x1B[2J", "/\x7F", "/\xC2\x85", "/a\tb", "a", "*"}) {
    EXPECT_EQ(ArticleOfTarget(path), "(bad)") << path;
  }
  EXPECT_EQ(ArticleOf(Line("GET  HTTP/1.1")), "(bad)");
  EXPECT_EQ(ArticleOf(Line(std::string("GET /\0 HTTP/1.1", 15))), "(bad)");
}

TEST(AccessLog, ViewersAreTellableByAddressAndAgent) {
  ViewerSalt salt = SaltOfLog("portal", "one log");
  const auto viewer = [&salt](const std::string& address, const std::string& rest) {
    return ParseAccessLogLine(address + " - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 1" + rest, salt)
        .viewer;
  };
  const std::string a = R"( "r" "a")", b = R"( "r" "b")";
  EXPECT_EQ(viewer("192.0.2.1", a), viewer("192.0.2.1", R"( "another referer" "a")"));
  EXPECT_EQ(std::set<uint64_t>({viewer("192.0.2.1", a), viewer("192.0.2.1", b), viewer("192.0.2.2", a),
                                viewer("192.0.2.1", ""), viewer("192.0.2.1a", "")})
                .size(),
            5u);
  const uint64_t before = viewer("192.0.2.1", a);
  salt = SaltOfLog("portal", "another log");
  EXPECT_NE(viewer("192.0.2.1", a), before);
  EXPECT_NE(SaltOfLog("portal", "one log"), SaltOfLog("other", "one log"));
}

// No line, however mangled, may give an article that the service refuses. The line's whole batch would be lost with it.
TEST(AccessLog, WhateverTheBytesAPageViewIsValid) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  const std::string model = Line("GET /tin/Số?x HTTP/1.1");
  int views = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string line = model;
    for (int edits = static_cast<int>(random() % 4); edits > 0; --edits) {
      const size_t at = random() % line.size();
      if (random() % 3 == 0) {
        line.erase(at, random() % 5);
      } else if (random() % 2 == 0) {
        line[at] = static_cast<char>(random() % 256);
      } else {
        line.insert(at, line.substr(random() % line.size(), random() % 20));
      }
      if (line.empty()) line = " ";
    }
    const auto parsed = ParseAccessLogLine(line, ViewerSalt());
    SafeExcerpt(line);
    if (parsed.kind != LineKind::kPageView) continue;
    ++views;
    ASSERT_TRUE(IsArticleId(parsed.article_id)) << line;
    ASSERT_EQ(parsed.article_id[0], '/') << line;
    ASSERT_GT(parsed.event_time_unix_ms, 0) << line;
    ASSERT_NE(parsed.viewer, 0u) << line;
  }
  EXPECT_GT(views, 1'000);
}

}  // namespace
}  // namespace viewcount::cli
