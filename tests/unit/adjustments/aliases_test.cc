// Tests which article is counted under which alias. Every journal and every store must resolve an alias to the same
// article.
#include "service/sites/aliases.h"

#include <gtest/gtest.h>

#include "service/lane/view_record.h"
#include "service/sites/site_directory.h"

namespace viewcount {
namespace {

TEST(Aliases, ChainsAreFollowed) {
  const Aliases aliases({{"a", {"b", 1}}, {"b", {"c", 2}}, {"x", {"", 3}}});
  EXPECT_EQ(aliases.Resolve("a"), "c");
  EXPECT_EQ(aliases.Resolve("b"), "c");
  EXPECT_EQ(aliases.Resolve("c"), "c");
  EXPECT_EQ(aliases.Resolve("x"), "x");
}

TEST(Aliases, ArticlesInACircleAreCountedForThemselves) {
  const Aliases aliases({{"a", {"b", 1}}, {"b", {"a", 2}}, {"c", {"a", 3}}});
  EXPECT_EQ(aliases.Resolve("a"), "a");
  EXPECT_EQ(aliases.Resolve("b"), "b");
  EXPECT_EQ(aliases.Resolve("c"), "c");
}

TEST(Aliases, TheYoungerStateCountsInAnyOrder) {
  const AliasEntries a = {{"x", {"y", 5}}, {"z", {"y", 1}}, {"same", {"p", 3}}};
  const AliasEntries b = {{"x", {"", 7}}, {"z", {"q", 0}}, {"same", {"q", 3}}};
  const AliasEntries expected = {{"same", {"q", 3}}, {"x", {"", 7}}, {"z", {"y", 1}}};
  EXPECT_EQ(Newest(a, b), expected);
  EXPECT_EQ(Newest(b, a), expected);
}

TEST(Aliases, ASiteIsReadAsItWasJournaled) {
  Site site = *MakeSite("demo", {"Asia/Ho_Chi_Minh"});
  EXPECT_EQ(EncodeSite(*ParseSite(EncodeSite(site))), EncodeSite(site));
  site.SetAliases({{"a b", {"c/d", 1'750'000'000'000}}, {"e", {"", 3}}});
  const auto parsed = ParseSite(EncodeSite(site));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->alias_entries(), site.alias_entries());
  EXPECT_FALSE(ParseSite("demo\nUTC\na\nb\n").ok());
  EXPECT_FALSE(ParseSite("demo\nUTC\na\nb\nx\n").ok());
}

TEST(Aliases, ADirectoryForgetsNone) {
  SiteDirectory sites;
  Site site = *MakeSite("demo", {});
  site.SetAliases({{"a", {"b", 2}}});
  ASSERT_TRUE(*sites.Put(site));
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {"Asia/Ho_Chi_Minh"})).ok());
  site.SetAliases({{"a", {"old", 1}}, {"c", {"d", 1}}});
  ASSERT_TRUE(sites.Put(site).ok());
  EXPECT_EQ(sites.Find("demo")->Resolve("a"), "b");
  EXPECT_EQ(sites.Find("demo")->Resolve("c"), "d");
}

}  // namespace
}  // namespace viewcount
