// Tests which texts are origins, and which origins a site allows.
#include "service/sites/origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/site.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Origins, AreWrittenAsBrowsersSendThem) {
  const std::pair<const char*, const char*> kSpellings[] = {
      {"https://news.example.org", "https://news.example.org"},
      {"http://localhost:8000", "http://localhost:8000"},
      {"HTTPS://News.Example.ORG", "https://news.example.org"},
      {"https://news.example.org:443", "https://news.example.org"},
      {"http://news.example.org:80", "http://news.example.org"},
      {"https://news.example.org:80", "https://news.example.org:80"},
      {"http://news.example.org:443", "http://news.example.org:443"},
      {"http://news.example.org:08080", "http://news.example.org:8080"},
      {"http://news.example.org:65535", "http://news.example.org:65535"},
      {"http://10.0.0.7:1", "http://10.0.0.7:1"},
      {"https://xn--bo-0ja.example.vn", "https://xn--bo-0ja.example.vn"},
      {"http://print_server", "http://print_server"},
      {"http://24.example", "http://24.example"},
      {"http://[::1]:8000", "http://[::1]:8000"},
      {"http://[2001:DB8:0:0:0:0:0:1]", "http://[2001:db8::1]"},
  };
  for (const auto& [text, expected] : kSpellings) {
    const auto origin = NormalizedOrigin(text);
    ASSERT_TRUE(origin.ok()) << text << ": " << origin.status();
    EXPECT_EQ(*origin, expected);
    EXPECT_EQ(*NormalizedOrigin(*origin), *origin) << "stays as it is";
  }
}

TEST(Origins, WhatBrowsersNeverSendIsRefused) {
  using namespace std::string_literals;
  const std::string kNone[] = {"",
                               "*",
                               "null",
                               "news.example.org",
                               "//news.example.org",
                               "https:news.example.org",
                               "https:/news.example.org",
                               "https://",
                               "http://:80",
                               "ftp://news.example.org",
                               "file:///tmp",
                               "chrome-extension://abc",
                               " https://a.example",
                               "https://a.example ",
                               "https://a.example\n",
                               "https://a.example/",
                               "https://a.example/news",
                               "https://a.example?x",
                               "https://a.example#x",
                               "https://user@a.example",
                               "https://user:secret@a.example",
                               "https://*.org",
                               "https://*.192.0.2.1",
                               "https://a.*.example.org",
                               "https://*a.example.org",
                               "https://*.*.example.org",
                               "*.example.org",
                               "https://*",
                               "https://a..example",
                               "https://.a.example",
                               "https://a.example.",
                               "https://-a.example",
                               "https://a-.example",
                               "https://a b.example",
                               "https://a,b.example",
                               "https://a%41.example",
                               "https://báo.example.vn",
                               "https://a.example:",
                               "https://a.example:0",
                               "https://a.example:65536",
                               "https://a.example:-1",
                               "https://a.example:+1",
                               "https://a.example:80x",
                               "https://a.example:8 0",
                               "https://a.example:80:80",
                               "https://a\\b",
                               "https://a\0b"s,
                               "https://[::1",
                               "https://::1",
                               "https://[]",
                               "https://[::1]x",
                               "https://[::1%25eth0]",
                               "https://[::ffff:1.2.3.4]",
                               "https://[::1\0]"s,
                               "https://[a.example]",
                               "https://1.2.3",
                               "https://1.2.3.256",
                               "https://1.2.3.04",
                               "https://127.1",
                               "https://2130706433",
                               "https://0x7f",
                               "https://1.2.3.4.5",
                               "https://" + std::string(64, 'a'),
                               "https://a.example,https://b.example",
                               "https://a.example https://b.example"};
  for (const std::string& text : kNone) {
    const auto origin = NormalizedOrigin(text);
    EXPECT_TRUE(absl::IsInvalidArgument(origin.status())) << "\"" << text << "\"";
  }
}

TEST(Origins, HostsHaveALength) {
  std::string host = "https://";
  for (int i = 0; i < 3; ++i) host += std::string(63, 'a') + ".";
  EXPECT_TRUE(NormalizedOrigin(host + std::string(61, 'b')).ok());
  EXPECT_FALSE(NormalizedOrigin(host + std::string(62, 'b')).ok());
}

TEST(Origins, AListHasEachOnceInOrder) {
  EXPECT_THAT(*NormalizedOrigins({}), IsEmpty());
  EXPECT_THAT(*NormalizedOrigins({"https://b.example", "HTTP://A.example:80", "https://B.example:443"}),
              ElementsAre("http://a.example", "https://b.example"));
}

TEST(Origins, TheErrorNamesWhichAndWhy) {
  const auto slash = NormalizedOrigins({"https://a.example", "https://b.example/"});
  EXPECT_THAT(std::string(slash.status().message()), HasSubstr("site.allowed_origins[1]"));
  EXPECT_THAT(std::string(slash.status().message()), HasSubstr("no trailing slash"));
  std::vector<std::string> many;
  for (size_t i = 0; i < limits::kSiteOriginsMax; ++i) many.push_back("http://a" + std::to_string(i));
  EXPECT_EQ(NormalizedOrigins(many)->size(), limits::kSiteOriginsMax);
  many.push_back("http://one.more");
  EXPECT_THAT(std::string(NormalizedOrigins(many).status().message()), HasSubstr("must be at most 64"));
}

TEST(Origins, ASiteAllowsThoseItNames) {
  const Site site = *MakeSite("demo", {"", {"https://b.example", "http://localhost:8000", "HTTPS://a.example:443"}});
  for (const char* allowed : {"https://a.example", "https://b.example", "http://localhost:8000"}) {
    EXPECT_TRUE(site.Allows(allowed)) << allowed;
  }
  for (const char* other : {"", "null", "http://a.example", "https://a.example:8443", "https://a.example.evil.example",
                            "https://c.example", "http://localhost", "http://localhost:80000"}) {
    EXPECT_FALSE(site.Allows(other)) << other;
  }
}

TEST(Origins, ASiteThatNamesNoneAllowsAny) {
  EXPECT_TRUE(MakeSite("demo", {})->Allows("https://a.example"));
  EXPECT_TRUE(MakeSite("demo", {})->Allows("null"));
}

TEST(Origins, ASiteOfABadOneIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(MakeSite("demo", {"", {"https://a.example/"}}).status()));
}

TEST(Origins, AWildcardStandsForLabelsBeforeTheName) {
  EXPECT_EQ(*NormalizedOrigin("HTTPS://*.Example.org:443"), "https://*.example.org");
  const Site site =
      *MakeSite("demo", {"", {"https://*.example.org", "http://*.test.example:8080", "https://one.example"}});
  for (const char* allowed :
       {"https://a.example.org", "https://b.a.example.org", "http://x.test.example:8080", "https://one.example"}) {
    EXPECT_TRUE(site.Allows(allowed)) << allowed;
  }
  for (const char* refused :
       {"https://example.org", "http://a.example.org", "https://a.example.org:8443", "https://aexample.org",
        "https://.example.org", "https://a.example.org.evil.example", "https://evil.example/.example.org",
        "https://evil.example:80.example.org", "http://x.test.example", "https://a.one.example", "null", ""}) {
    EXPECT_FALSE(site.Allows(refused)) << refused;
  }
}

}  // namespace
}  // namespace viewcount
