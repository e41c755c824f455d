#include "client/cli/sitemap_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viewcount::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(SitemapHosts, OtherHostsAreRemovedAndCounted) {
  std::vector<std::string> sitemaps = {"https://A.example/1", "http://a.example:81/2", "https://b.example/3",
                                       "file:///4",           "https://b.example/5",   "https://a.example@c.example/6"};
  EXPECT_THAT(RemoveOtherHosts("a.example", sitemaps), ElementsAre(Pair("b.example", 2), Pair("c.example", 1)));
  EXPECT_THAT(sitemaps, ElementsAre("https://A.example/1", "http://a.example:81/2", "file:///4"));
  EXPECT_THAT(RemoveOtherHosts("a.example", sitemaps), IsEmpty());
}

TEST(SitemapHosts, AFileHasTheHostOfItsFirstSitemap) {
  EXPECT_EQ(HostOfSitemaps("", {"file:///a", "https://b.example/1", "https://c.example/2"}), "b.example");
  EXPECT_EQ(HostOfSitemaps("a.example", {"https://b.example/1"}), "a.example");
  EXPECT_EQ(HostOfSitemaps("", {}), "");
}

TEST(SitemapHosts, TheProblemSaysWhatToDo) {
  OtherHost hosts = {.index = "https://a.example/s.xml", .host = "a.example", .other = "b.example", .sitemaps = 2};
  EXPECT_EQ(OtherHostProblem(hosts),
            "https://a.example/s.xml names 2 sitemaps on the host b.example, but it is on a.example; skipped, because "
            "--any-host is not given");
  hosts.other = "www.a.example";
  EXPECT_THAT(
      OtherHostProblem(hosts),
      EndsWith("If both hosts are the same portal, give --sitemap the address of the index on www.a.example, or "
               "--any-host"));
  std::swap(hosts.host, hosts.other);
  hosts.index_is_file = true;
  EXPECT_THAT(OtherHostProblem(hosts),
              EndsWith("but its first sitemap is on www.a.example; skipped, because --any-host "
                       "is not given. If both hosts are the same portal, give --any-host"));
}

}  // namespace
}  // namespace viewcount::cli
