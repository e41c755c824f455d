// Tests the decision about each line. The formats have tests of their own.
#include "client/cli/access_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "service/base/text.h"

namespace viewcount::cli {
namespace {

constexpr char kPerson[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

const BotPatterns& Bots() {
  static const BotPatterns bots;
  return bots;
}

std::string Line(const std::string& request, const std::string& status = "200",
                 const std::string& address = "192.0.2.1", const std::string& agent = kPerson) {
  return fmt::format(R"({} - - [17/May/2015:10:05:03 +0000] "{}" {} 5120 "-" "{}")", address, request, status, agent);
}
std::string Get(const std::string& target) { return Line("GET " + target + " HTTP/1.1"); }

class AccessLog : public ::testing::Test {
 protected:
  AccessLogLine Parse(const std::string& line) const {
    const auto parser = AccessLogParser::Make(format_, line, rules_, Bots(), salt_);
    EXPECT_TRUE(parser.ok()) << parser.status();
    return (*parser)->Parse(line);
  }

  // Returns the article of a view, or the kind of another line in brackets.
  std::string ArticleOf(const std::string& line) const {
    static const std::map<LineKind, std::string> kNames = {{LineKind::kNoPage, "(no page)"},
                                                           {LineKind::kExcludedPath, "(path)"},
                                                           {LineKind::kExcludedAddress, "(address)"},
                                                           {LineKind::kOtherHost, "(host)"},
                                                           {LineKind::kBlank, "(blank)"},
                                                           {LineKind::kBad, "(bad)"}};
    const auto parsed = Parse(line);
    EXPECT_EQ(parsed.kind == LineKind::kBad, !parsed.problem.empty());
    return IsView(parsed.kind) ? parsed.article_id : kNames.at(parsed.kind);
  }

  FormatOptions format_;
  LogRules rules_;
  ViewerSalt salt_;
};

TEST_F(AccessLog, AViewHasArticleTimeAndViewer) {
  const auto parsed = Parse(Get("/news/3933?utm_source=x#top"));
  EXPECT_EQ(parsed.kind, LineKind::kView);
  EXPECT_EQ(parsed.article_id, "/news/3933");
  EXPECT_EQ(parsed.event_time_unix_ms, 1'431'857'103'000);
  EXPECT_NE(parsed.viewer, 0u);
}

TEST_F(AccessLog, TheSitesRuleNamesTheArticle) {
  EXPECT_EQ(ArticleOf(Get("/xem.php?v=1&id=2")), "/xem.php?id=2");
  EXPECT_EQ(Parse(Get("/xem.php?v=1&id=2")).dropped, (std::vector<std::pair<std::string, std::string>>{{"v", "1"}}));
  ArticleRuleSettings settings;
  settings.parameters = {"v"};
  settings.fold_case = true;
  settings.excluded_paths = {"/admin/*"};
  rules_.article_rule = *ArticleRule::Make(settings);
  EXPECT_EQ(ArticleOf(Get("/Xem.php?v=1&id=2")), "/xem.php?v=1");
  EXPECT_EQ(ArticleOf(Get("/admin/x")), "(path)");
}

TEST_F(AccessLog, TheSitesPatternsOfAgentsComeFirst) {
  const auto kind_of = [this](const std::string& agent) {
    return Parse(Line("GET /a HTTP/1.1", "200", "192.0.2.1", agent)).kind;
  };
  rules_.agents = *AgentRule::Make({.bots = {"^House Checker/"}, .people = {"PortalApp/", "^curl/7"}});
  EXPECT_EQ(kind_of("House Checker/2 (all pages)"), LineKind::kBotView);
  EXPECT_EQ(kind_of("portalapp/1 okhttp/4.9"), LineKind::kView);
  EXPECT_EQ(kind_of("curl/7.88.1"), LineKind::kView);
  EXPECT_EQ(kind_of("curl/8.0"), LineKind::kBotView);
  EXPECT_EQ(kind_of(kPerson), LineKind::kView);
}

TEST_F(AccessLog, EverySpellingOfAnAddressIsOneArticle) {
  for (const char* target :
       {"/s%E1%BB%91/1", "/s%e1%bb%91/1", "/số/1", R"(/s\xE1\xBB\x91/1)", "/%73%E1%BB%91/1", "/s%E1%BB%91/1#x",
        "http://example.org/số/1", "HTTPS://example.org:8443/số/1", "/số/1;jsessionid=12AB.node1"}) {
    EXPECT_EQ(ArticleOf(Get(target)), "/số/1") << target;
  }
}

TEST_F(AccessLog, APageMayHaveAnyExtensionButThoseOfFiles) {
  for (const char* page : {"/", "/v-2.0", "/bai.chn", "/a.do", "/a.xhtml", "/a.b.v2", "/a.aspx", "/a.png/"}) {
    EXPECT_EQ(ArticleOf(Get(page)), page);
  }
  for (const char* file : {"/logo.svg", "/a.PNG", "/app.min.js", "/data.json", "/a.css?v=1"}) {
    EXPECT_EQ(ArticleOf(Get(file)), "(no page)") << file;
  }
}

TEST_F(AccessLog, OnlySuccessfulGetsOfWholePagesAreViews) {
  for (const char* status : {"200", "201", "203", "299", "304"}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", status)), "/a") << status;
  }
  for (const char* status : {"100", "204", "205", "206", "301", "302", "303", "305", "400", "404", "500", "999"}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", status)), "(no page)") << status;
  }
  for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS", "get", "GETX"}) {
    EXPECT_EQ(ArticleOf(Line(std::string(method) + " /a HTTP/1.1")), "(no page)") << method;
  }
  EXPECT_EQ(ArticleOf(Line("-", "408")), "(no page)");
  EXPECT_EQ(ArticleOf(Line("", "400")), "(no page)");
  EXPECT_EQ(ArticleOf(Line(R"(\x16\x03\x01)", "400")), "(no page)");
}

TEST_F(AccessLog, WellKnownPathsThatNoReaderOpensAreLeftOut) {
  for (const char* path : {"/healthz", "/wp-login.php", "/wp-json/x/y", "/.well-known/security", "/server-status"}) {
    EXPECT_EQ(ArticleOf(Get(path)), "(path)") << path;
  }
}

TEST_F(AccessLog, BotsAreRecognisedByTheirAgent) {
  for (const char* agent : {"curl/8.5.0", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                            "kube-probe/1.29", "HeadlessChrome/126.0"}) {
    EXPECT_EQ(Parse(Line("GET /a HTTP/1.1", "200", "192.0.2.1", agent)).kind, LineKind::kBotView) << agent;
  }
  for (const char* agent : {kPerson, "-", ""}) {
    EXPECT_EQ(Parse(Line("GET /a HTTP/1.1", "200", "192.0.2.1", agent)).kind, LineKind::kView) << agent;
  }
}

TEST_F(AccessLog, ExcludedAddressesAreLeftOutInEverySpelling) {
  rules_.excluded_addresses = *AddressRanges::Parse(std::vector<std::string>{"192.0.2.0/24", "2001:db8::7"});
  for (const char* address :
       {"192.0.2.9", "192.0.2.9:5123", "::ffff:192.0.2.9", "2001:DB8:0::7", "[2001:db8::7]:443"}) {
    EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", "200", address)), "(address)") << address;
  }
  EXPECT_EQ(ArticleOf(Line("GET /a HTTP/1.1", "200", "198.51.100.9")), "/a");
}

TEST_F(AccessLog, LinesOfOtherHostsAreLeftOut) {
  rules_.hosts = {HostName("WWW.example.org:443")};
  EXPECT_EQ(ArticleOf("www.example.org:80 " + Get("/a")), "/a");
  EXPECT_EQ(ArticleOf("Www.Example.ORG " + Get("/a")), "/a");
  EXPECT_EQ(ArticleOf("m.example.org " + Get("/a")), "(host)");
  EXPECT_EQ(ArticleOf(Get("/a")), "(host)") << "a line that names no host";
}

TEST_F(AccessLog, ViewersAreDistinguishedByAddressAndAgent) {
  salt_ = SaltOfLog("portal", "one log");
  const auto viewer = [this](const std::string& address, const std::string& agent) {
    return Parse(Line("GET /a HTTP/1.1", "200", address, agent)).viewer;
  };
  EXPECT_EQ(viewer("192.0.2.1", "a"), viewer("192.0.2.1:4711", "a"));
  EXPECT_EQ(viewer("192.0.2.1", "a"), viewer("::ffff:192.0.2.1", "a"));
  EXPECT_EQ(viewer("2001:db8::1", "a"), viewer("2001:0DB8:0:0::0001", "a"));
  EXPECT_EQ(viewer("host.example.org", "a"), viewer("HOST.example.org", "a"));
  EXPECT_EQ(std::set<uint64_t>({viewer("192.0.2.1", "a"), viewer("192.0.2.1", "b"), viewer("192.0.2.2", "a"),
                                viewer("192.0.2.1", "-"), viewer("host.example.org", "a")})
                .size(),
            5u);
  for (const char* unknown : {"-", "unix:", "web-1", "localhost", "999.0.2.1"}) EXPECT_EQ(viewer(unknown, "a"), 0u);
  const uint64_t before = viewer("192.0.2.1", "a");
  salt_ = SaltOfLog("portal", "another log");
  EXPECT_NE(viewer("192.0.2.1", "a"), before);
  EXPECT_NE(SaltOfLog("portal", "one log"), SaltOfLog("other", "one log"));
}

TEST_F(AccessLog, TheNamedFieldIsTheViewer) {
  const auto client = [this](const std::string& field) {
    return Parse(Line("GET /a HTTP/1.1", "200", "10.0.0.5") + field).client;
  };
  const auto of = [this](const std::string& address) { return Parse(Line("GET /a HTTP/1.1", "200", address)).client; };
  const auto proxy = of("10.0.0.5"), reader = of("203.0.113.7");
  EXPECT_EQ(client(R"( "203.0.113.7")"), proxy);
  format_.client_field = "last";
  EXPECT_EQ(client(R"( "203.0.113.7")"), reader);
  EXPECT_EQ(client(R"( "x" 0.003 "203.0.113.7" 0.005)"), reader) << "the last quoted field";
  EXPECT_EQ(client(R"( 203.0.113.7)"), reader);
  EXPECT_EQ(client(R"( "203.0.113.7, 198.51.100.1, 10.0.0.1")"), reader) << "the leftmost";
  EXPECT_EQ(client(R"( "unknown, 203.0.113.7:5123")"), reader);
  EXPECT_EQ(client(R"( "for=\"203.0.113.7:99\";proto=https, for=10.1.1.1")"), reader);
  EXPECT_EQ(client(R"( "for=203.0.113.7;proto=https, for=10.1.1.1")"), reader);
  EXPECT_EQ(client(R"( "-")"), proxy) << "without an address the connection counts";
  format_.client_field = "X-Forwarded-For";
  EXPECT_FALSE(AccessLogParser::Make(format_, Get("/a"), rules_, Bots(), salt_).ok());
}

TEST_F(AccessLog, AddressesOfPrivateNetworksAreRecognised) {
  for (const char* address : {"10.0.0.5", "172.16.3.4", "192.168.1.1", "127.0.0.1", "::1", "fd00::1"}) {
    EXPECT_TRUE(Parse(Line("GET /a HTTP/1.1", "200", address)).private_client) << address;
  }
  EXPECT_FALSE(Parse(Get("/a")).private_client);
}

TEST_F(AccessLog, APrefixMayBePartOfTheLogFormat) {
  format_.format = "$host | $remote_addr | $msec | $request | $status";
  EXPECT_EQ(ArticleOf("www | 192.0.2.1 | 1431857103.000 | GET /a HTTP/1.1 | 200"), "/a");
}

TEST_F(AccessLog, BlankLinesAndCommentsAreNotBad) {
  for (const char* blank : {"", " ", "\r", "\t \r", "# comment", "#Version: 1.0\r"})
    EXPECT_EQ(ArticleOf(blank), "(blank)");
}

TEST_F(AccessLog, TargetsThatNameNoArticleAreBad) {
  EXPECT_EQ(ArticleOf(Get("/" + std::string(511, 'x'))).size(), 512u);
  EXPECT_EQ(ArticleOf(Get("/" + std::string(512, 'x'))), "(bad)");
  EXPECT_EQ(ArticleOf(Get("/a?" + std::string(5'000, 'x'))), "/a");
  for (const char* target : {"a", "*", "", "ftp://example.org/a"}) EXPECT_EQ(ArticleOf(Get(target)), "(bad)") << target;
  EXPECT_EQ(ArticleOf(Line(std::string("GET /\0 HTTP/1.1", 15))), "(bad)");
}

TEST_F(AccessLog, AFormatIsFoundInTheFirstLineThatHasOne) {
  const auto parser = *AccessLogParser::Make(format_, "", rules_, Bots(), salt_);
  EXPECT_EQ(parser->format(), "");
  EXPECT_EQ(parser->Parse("the server has started").kind, LineKind::kBad);
  EXPECT_EQ(parser->Parse(Get("/a")).kind, LineKind::kView);
  EXPECT_EQ(parser->format(), "combined");
}

TEST_F(AccessLog, TheColumnsOfCommentsAreKeptUntilALineIsUnderstood) {
  const auto parser = *AccessLogParser::Make(format_, "", rules_, Bots(), salt_);
  EXPECT_EQ(parser->Parse("#Fields: date time cs-method cs-uri-stem sc-status c-ip").kind, LineKind::kBlank);
  EXPECT_EQ(parser->Parse("2026-11-20 03:00:01 GET /a").kind, LineKind::kBad);
  EXPECT_EQ(parser->Parse("2026-11-20 03:00:01 GET /a 200 192.0.2.1").article_id, "/a");
  EXPECT_EQ(parser->format(), "iis");
}

// No line, however mangled, may give an article that the service refuses. The line's whole batch would be lost with it.
TEST_F(AccessLog, WhateverTheBytesAViewIsValid) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  const std::string model = Get("/tin/S\\xE1\\xBB\\x91%E1%BB%91ố?id=x");
  const auto parser = *AccessLogParser::Make(format_, model, rules_, Bots(), salt_);
  int views = 0;
  for (int i = 0; i < 100'000; ++i) {
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
    const auto parsed = parser->Parse(line);
    SafeExcerpt(line);
    if (!IsView(parsed.kind)) continue;
    ++views;
    ASSERT_TRUE(IsArticleId(parsed.article_id)) << line;
    ASSERT_EQ(parsed.article_id[0], '/') << line;
    ASSERT_GT(parsed.event_time_unix_ms, 0) << line;
  }
  EXPECT_GT(views, 1'000);
}

}  // namespace
}  // namespace viewcount::cli
