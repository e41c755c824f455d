// Tests versions and slots, without a store.
#include "service/query/watched_site.h"

#include <gtest/gtest.h>

#include "service/base/limits.h"

namespace viewcount {
namespace {

WatchedSite::Piece All(const WatchedSite& site) {
  uint32_t from = 0;
  return site.NextPiece(from);
}

Counts CountsOf(std::vector<uint64_t> views) {
  Counts counts{.as_of_unix_ms = 1'000};
  for (const uint64_t number : views) counts.totals.push_back({.views = number});
  return counts;
}

TEST(WatchedSite, ASlotIsSharedAndFreedWithItsLastWatch) {
  WatchedSite site;
  const uint32_t a = site.Add("a");
  EXPECT_EQ(site.Add("a"), a);
  const uint32_t b = site.Add("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(site.articles(), 2u);
  site.Remove(a);
  EXPECT_EQ(All(site).ids, (std::vector<std::string>{"a", "b"}));
  site.Remove(a);
  EXPECT_EQ(All(site).ids, (std::vector<std::string>{"b"}));
  EXPECT_EQ(site.Add("c"), a) << "used again";
  EXPECT_EQ(site.articles(), 2u);
}

TEST(WatchedSite, OnlyWhatChangedGetsANewVersion) {
  WatchedSite site;
  const uint32_t a = site.Add("a");
  const uint32_t b = site.Add("b");
  EXPECT_TRUE(site.Update(All(site), CountsOf({0, 5}), 1, 1)) << "0 is news too when it is the first";
  EXPECT_FALSE(site.Update(All(site), CountsOf({0, 5}), 2, 2));
  EXPECT_TRUE(site.Update(All(site), CountsOf({0, 6}), 3, 2));
  EXPECT_EQ(site.slot(a).changed_version, 1u);
  EXPECT_EQ(site.slot(b).changed_version, 2u);
  EXPECT_TRUE(site.UpdateTotal({.views = 0, .as_of_unix_ms = 1'000}, 4, 3));
  EXPECT_FALSE(site.UpdateTotal({.views = 0, .as_of_unix_ms = 1'001}, 5, 4));
  EXPECT_EQ(site.total().changed_version, 3u);
}

TEST(WatchedSite, AnAnswerForAnArticleThatWentDoesNotMeetTheOneInItsSlot) {
  WatchedSite site;
  const uint32_t a = site.Add("a");
  const auto piece = All(site);
  site.Remove(a);
  ASSERT_EQ(site.Add("b"), a);
  EXPECT_FALSE(site.Update(piece, CountsOf({7}), 1, 1));
  EXPECT_EQ(site.slot(a).changed_version, 0u);
}

TEST(WatchedSite, AnAnswerThatOutlivedAllWatchersMeetsOnlyWhatIsWatchedAnew) {
  WatchedSite::Piece piece;
  {
    WatchedSite before;
    for (const char* id : {"a", "b", "c"}) before.Add(id);
    piece = All(before);
  }
  WatchedSite site;
  const uint32_t b = site.Add("b");
  const uint32_t other = site.Add("other");
  EXPECT_FALSE(site.Update(piece, CountsOf({7, 8, 9}), 1, 1));
  EXPECT_EQ(site.slot(b).changed_version, 0u);
  EXPECT_EQ(site.slot(other).changed_version, 0u);
}

TEST(WatchedSite, AReadThatBeganEarlierSaysNothingNew) {
  WatchedSite site;
  const uint32_t a = site.Add("a");
  EXPECT_TRUE(site.Update(All(site), CountsOf({8}), 2, 1));
  EXPECT_FALSE(site.Update(All(site), CountsOf({7}), 1, 2));
  EXPECT_EQ(site.slot(a).totals.views, 8u);
  EXPECT_TRUE(site.UpdateTotal({.views = 8, .as_of_unix_ms = 1'000}, 2, 2));
  EXPECT_FALSE(site.UpdateTotal({.views = 7, .as_of_unix_ms = 999}, 1, 3));
  EXPECT_EQ(site.total().views, 8u);
}

TEST(WatchedSite, PiecesHaveEveryArticleOnce) {
  WatchedSite site;
  const size_t count = 2 * limits::kGetCountsArticlesMax + 1;
  for (size_t i = 0; i < count; ++i) site.Add(std::to_string(i));
  site.Remove(7);
  uint32_t from = 0;
  EXPECT_EQ(site.NextPiece(from).ids.size(), limits::kGetCountsArticlesMax);
  EXPECT_EQ(site.NextPiece(from).ids.size(), limits::kGetCountsArticlesMax);
  EXPECT_TRUE(site.NextPiece(from).ids.empty());
}

}  // namespace
}  // namespace viewcount
