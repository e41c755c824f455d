#include "service/query/window_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Window kDay{Window::Kind::kDay, 20261122};
const Window kNextDay{Window::Kind::kDay, 20261123};
constexpr Shard kShard{5};

// Describes reads as "NUMBER of the window: places + articles".
std::vector<std::string> TextsOf(const std::vector<WindowRead>& reads) {
  std::vector<std::string> texts;
  for (const WindowRead& read : reads) {
    std::string text = std::to_string(read.window.number) + ": " + std::to_string(read.places);
    for (const std::string_view id : read.ids) text.append(" ").append(id);
    texts.push_back(text);
  }
  return texts;
}

// Describes rankings as "ARTICLE VIEWS" and "others at most VIEWS".
std::vector<std::string> TextsOf(const ShardMemory& memory, Window window, size_t places) {
  const std::vector<Window> windows = {window};
  const auto rankings = memory.FindRankings(windows, places);
  if (!rankings) return {"not known"};
  std::vector<std::string> texts;
  for (const RankedNumber& place : rankings->front().places) {
    texts.push_back(std::string(memory.numbers()->IdOf(place.article)) + " " + std::to_string(place.views));
  }
  texts.push_back("others at most " + std::to_string(rankings->front().unlisted_views_max));
  return texts;
}

WindowState Ranked(HashVersion version, std::vector<RankedCount> articles, uint64_t unlisted_views_max) {
  return {.version = version,
          .ranking = {.articles = std::move(articles), .unlisted_views_max = unlisted_views_max},
          .counts = {}};
}

// Learns one window.
void Learn(ShardMemory& memory, const WindowRead& read, const WindowState& state) {
  memory.Learn(std::vector{read}, std::vector{state});
}

TEST(ShardMemory, ReadsARankingAgainOnlyIfItsHashHasAnotherVersion) {
  ShardMemory memory;
  const std::vector<Window> windows = {kDay};
  EXPECT_THAT(TextsOf(memory.PlanRankings(windows, 2)), ElementsAre("20261122: 2"));
  EXPECT_THAT(TextsOf(memory, kDay, 2), ElementsAre("not known"));
  const WindowRead whole{.window = kDay, .places = 2}, only_version{.window = kDay};
  Learn(memory, whole, Ranked({10, 0}, {{"a", 7}, {"b", 2}}, 2));
  EXPECT_THAT(TextsOf(memory.PlanRankings(windows, 2)), ElementsAre("20261122: 0"));
  Learn(memory, only_version, {.version = {10, 0}});
  EXPECT_THAT(TextsOf(memory, kDay, 2), ElementsAre("a 7", "b 2", "others at most 2"));
  // An adjustment may leave the sum as it is.
  for (const HashVersion other : {HashVersion{11, 0}, HashVersion{11, 1}}) {
    Learn(memory, only_version, {.version = other});
    EXPECT_THAT(TextsOf(memory, kDay, 2), ElementsAre("not known"));
    Learn(memory, whole, Ranked(other, {{"b", 8}, {"a", 1}}, 1));
    EXPECT_THAT(TextsOf(memory, kDay, 2), ElementsAre("b 8", "a 1", "others at most 1"));
  }
}

TEST(ShardMemory, ARankingServesShorterLists) {
  ShardMemory memory;
  const std::vector<Window> windows = {kDay};
  Learn(memory, {.window = kDay, .places = 3}, Ranked({10, 0}, {{"a", 7}, {"b", 2}, {"c", 1}}, 1));
  EXPECT_THAT(TextsOf(memory.PlanRankings(windows, 2)), ElementsAre("20261122: 0"));
  EXPECT_THAT(TextsOf(memory, kDay, 2), ElementsAre("a 7", "b 2", "others at most 2"));
  EXPECT_THAT(TextsOf(memory.PlanRankings(windows, 4)), ElementsAre("20261122: 4"));
  EXPECT_THAT(TextsOf(memory, kDay, 4), ElementsAre("not known"));
  // A ranking that is shorter than requested has all articles.
  Learn(memory, {.window = kDay, .places = 5}, Ranked({10, 0}, {{"a", 7}, {"b", 2}, {"c", 1}}, 0));
  EXPECT_THAT(TextsOf(memory, kDay, 5), ElementsAre("a 7", "b 2", "c 1", "others at most 0"));
  // A count below 0 does not make the bound 0, which would mean that there are no others.
  Learn(memory, {.window = kNextDay, .places = 2}, Ranked({-3, 1}, {{"a", -1}, {"b", -2}}, 1));
  EXPECT_THAT(TextsOf(memory, kNextDay, 1), ElementsAre("a -1", "others at most 1"));
}

TEST(ShardMemory, ReadsCountsThatItDoesNotKnow) {
  ShardMemory memory;
  const std::vector<Window> days = {kDay, kNextDay};
  const std::vector<std::string_view> one = {"a"}, both = {"a", "b"};
  auto reads = memory.PlanCounts(days, one);
  EXPECT_THAT(TextsOf(reads), ElementsAre("20261122: 0 a", "20261123: 0 a"));
  memory.Learn(reads,
               std::vector<WindowState>{{.version = {10, 0}, .counts = {4}}, {.version = {20, 0}, .counts = {0}}});
  EXPECT_EQ(memory.FindSums(days, one), std::vector<int64_t>{4});
  EXPECT_EQ(memory.FindSums(days, both), std::nullopt);
  EXPECT_THAT(memory.CountUnknown(days, both), ElementsAre(0, 2));
  reads = memory.PlanCounts(days, both);
  EXPECT_THAT(TextsOf(reads), ElementsAre("20261122: 0 b", "20261123: 0 b"));
  // In the second window something has changed.
  memory.Learn(reads,
               std::vector<WindowState>{{.version = {10, 0}, .counts = {3}}, {.version = {21, 0}, .counts = {5}}});
  EXPECT_EQ(memory.FindSums(days, both), std::nullopt);
  EXPECT_THAT(memory.CountUnknown(days, both), ElementsAre(1, 1));
  // So it is read as a whole, until it is found unchanged.
  reads = memory.PlanCounts(days, both);
  EXPECT_THAT(TextsOf(reads), ElementsAre("20261122: 0", "20261123: 0 a b"));
  memory.Learn(reads, std::vector<WindowState>{{.version = {10, 0}}, {.version = {21, 0}, .counts = {1, 5}}});
  EXPECT_THAT(memory.FindSums(days, both).value(), ElementsAre(5, 8));
  EXPECT_THAT(memory.FindSums({days, {1, 10}}, both).value(), ElementsAre(14, 53));
  EXPECT_THAT(TextsOf(memory.PlanCounts(days, both)), ElementsAre("20261122: 0", "20261123: 0"));
}

TEST(ShardMemory, RankingsAndCountsOfOneVersionComplementEachOther) {
  ShardMemory memory;
  const std::vector<Window> windows = {kDay};
  const std::vector<std::string_view> ids = {"c"};
  Learn(memory, {.window = kDay, .places = 1}, Ranked({10, 0}, {{"a", 7}}, 7));
  Learn(memory, {.window = kDay, .ids = {"c"}}, {.version = {10, 0}, .counts = {1}});
  EXPECT_THAT(TextsOf(memory, kDay, 1), ElementsAre("a 7", "others at most 7"));
  Learn(memory, {.window = kDay, .places = 2}, Ranked({10, 0}, {{"a", 7}, {"b", 2}}, 2));
  EXPECT_THAT(memory.FindSums(windows, ids).value(), ElementsAre(1));
}

TEST(WindowMemory, ForgetsWhatWasReadOverAnEarlierConnect) {
  WindowMemory memory(1'000);
  const SiteIndex site{0};
  const WindowRead read{.window = kDay, .places = 1};
  Learn(memory.Of(site, kShard, 1), read, Ranked({10, 0}, {{"a", 7}}, 7));
  EXPECT_THAT(TextsOf(memory.Of(site, kShard, 1), kDay, 1), SizeIs(2));
  EXPECT_THAT(TextsOf(memory.Of(SiteIndex{1}, kShard, 1), kDay, 1), ElementsAre("not known"));
  EXPECT_THAT(TextsOf(memory.Of(site, Shard{6}, 1), kDay, 1), ElementsAre("not known"));
  EXPECT_THAT(TextsOf(memory.Of(site, kShard, 2), kDay, 1), ElementsAre("not known"));
  Learn(memory.Of(site, kShard, 2), read, Ranked({10, 0}, {{"a", 7}}, 7));
  memory.Forget(site, kShard);
  EXPECT_THAT(TextsOf(memory.Of(site, kShard, 2), kDay, 1), ElementsAre("not known"));
}

TEST(WindowMemory, IsBoundedAndKeepsWhatWasUsedLately) {
  constexpr size_t kMax = 4'000;
  WindowMemory memory(kMax);
  const SiteIndex site{0};
  const std::vector<Window> first = {{Window::Kind::kHour, 1}};
  std::vector<RankedCount> articles;
  for (int i = 0; i < 10; ++i) articles.push_back({"article " + std::to_string(i), 10 - i});
  size_t most = 0;
  for (uint32_t hour = 1; hour < 5'000; ++hour) {
    const WindowRead read{.window = {Window::Kind::kHour, hour}, .places = 10};
    ShardMemory& shard = memory.Of(site, kShard, 1);
    Learn(shard, read, Ranked({55, 0}, articles, 1));
    // The first hour is used all the time.
    const std::vector<WindowRead> again = shard.PlanRankings(first, 10);
    if (again[0].places == 0) Learn(shard, again[0], {.version = {55, 0}});
    most = std::max(most, memory.entries());
    ASSERT_TRUE(shard.FindRankings(first, 10).has_value()) << hour;
  }
  EXPECT_LT(most, 2 * kMax);
  EXPECT_GT(most, kMax / 2);
  // IDs that occur once are not worth keeping the rest.
  for (uint32_t i = 0; i < 5'000; ++i) {
    const std::string id = "article of one day " + std::to_string(i);
    Learn(memory.Of(site, kShard, 1), {.window = kDay, .ids = {id}}, {.version = {1, 0}, .counts = {1}});
    ASSERT_LT(memory.entries(), 2 * kMax);
  }
}

}  // namespace
}  // namespace viewcount
