#include "client/cli/web_address.h"

#include <gtest/gtest.h>

namespace viewcount::cli {
namespace {

TEST(WebAddress, CredentialsAreNeverShown) {
  EXPECT_EQ(WithoutCredentials("https://an:secret@news.example.org/s.xml"), "https://news.example.org/s.xml");
  EXPECT_EQ(WithoutCredentials("HTTP://an@news.example.org"), "HTTP://news.example.org");
  EXPECT_EQ(WithoutCredentials("https://an:secret@news.example.org/a@b"), "https://news.example.org/a@b");
  EXPECT_EQ(WithoutCredentials("https://an:secret@?x=1"), "https://?x=1");
  EXPECT_EQ(WithoutCredentials("ftp://an:secret@host/"), "ftp://host/");
  // These are not understood, because some characters of a password must be escaped.
  EXPECT_EQ(WithoutCredentials("https://an:s@cret@news.example.org/"), "https://news.example.org/");
  EXPECT_EQ(WithoutCredentials("https://an:sec/ret@news.example.org/s.xml"), "https://news.example.org/s.xml");
  EXPECT_EQ(WithoutCredentials("httpss://an:sec#ret@host/"), "httpss://host/");
}

TEST(WebAddress, OtherTextsStayAsTheyAre) {
  for (const char* text : {"https://news.example.org/@an/1?to=a@b#c@d", "https://news.example.org?a@b", "/a@b",
                           "a@b.xml", "", "://", "file:///etc/passwd"}) {
    EXPECT_EQ(WithoutCredentials(text), text);
  }
}

TEST(WebAddress, TheHostIsThatWhichIsFetched) {
  EXPECT_EQ(HostOf("https://an:secret@News.Example.org.:8443/s.xml"), "news.example.org");
  EXPECT_EQ(HostOf("http://a.example/@b.example"), "a.example");
  EXPECT_EQ(HostOf("http://a.example?@b.example"), "a.example");
  EXPECT_EQ(HostOf("http://[::1]:80/"), "[::1]");
  EXPECT_EQ(HostOf("http://"), "");
  EXPECT_EQ(HostOf("/a"), "");
}

TEST(WebAddress, RedirectsMayBeRelative) {
  EXPECT_EQ(RedirectTarget("https://a.example/x/y", "z"), "https://a.example/x/z");
  EXPECT_EQ(RedirectTarget("https://a.example/x", "//b.example/z"), "https://b.example/z");
  EXPECT_EQ(RedirectTarget("https://a.example/x", "HTTP://b.example/"), "http://b.example/");
  EXPECT_EQ(RedirectTarget("https://a.example/x", "http:/b.example/"), "http://b.example/");
}

}  // namespace
}  // namespace viewcount::cli
