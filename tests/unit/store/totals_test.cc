// Tests the totals of each lane, which are kept next to the cursor, and the effect of adjustments, against a real
// Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/status.h"
#include "service/store/redis/keys.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/windows.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TotalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    ASSERT_TRUE(Claim(lane_).ok());
  }

  absl::StatusOr<Claimed> Claim(const LaneIdentity& lane) {
    return pipeline_.Await(pipeline_.store().Claim(kShard, lane));
  }
  // Returns the next part of the lane.
  Part NextPart(std::vector<HashDelta> hashes = {}) {
    const Cursor expected = Cursor::End(at_);
    at_.value += 10;
    return {kShard, lane_.id, lane_.incarnation, expected, Cursor::End(at_), std::move(hashes)};
  }
  ApplyResult Apply(const Part& part) {
    auto result = pipeline_.Await(pipeline_.store().Apply(part));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : ApplyResult();
  }
  LaneTotals Totals() {
    const auto stored = pipeline_.Await(pipeline_.store().ReadLane(kShard, lane_.id));
    EXPECT_TRUE(stored.ok()) << stored.status();
    return stored.ok() ? stored->totals : LaneTotals();
  }
  std::string Field(Window window, const std::string& article) {
    return redis_.Command({"HGET", keys::Counts(kShard, "demo", window), article});
  }
  std::string Total(const std::string& field) { return redis_.Command({"HGET", "vc:{05}:totals", field}); }
  // The sum and the empty member of the ranking remain: see KEYS.md.
  void ExpectNothingLeft() {
    EXPECT_THAT(redis_.List({"HGETALL", "vc:{05}:demo:all"}), ElementsAre("", "0"));
    EXPECT_THAT(Ranked(), ElementsAre(""));
    const std::vector<LaneId> lanes = {lane_.id};
    const std::vector<WindowRead> reads = {{.window = kAll, .places = 10}};
    const auto read = pipeline_.Await(pipeline_.store().ReadWindows(kShard, lanes, "demo", reads));
    EXPECT_THAT(read->windows[0].ranking.articles, IsEmpty());
  }
  std::vector<std::string> Ranked() { return redis_.List({"ZRANGE", "vc:{05}:demo:top:all", "0", "-1"}); }

  RedisProcess redis_;
  LanePipeline pipeline_{redis_, {.ranked = {3, 3}}};
  LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  Position at_;
};

TEST_F(TotalsTest, ViewsOfAllTimeAreCountedOnce) {
  const Part part =
      NextPart({Views(kAll, {{"a", 2}, {"b", 5}}), Views(kDay, {{"a", 2}, {"b", 5}}), Views(kBots, {{"a", 1}})});
  EXPECT_TRUE(Apply(part).applied);
  EXPECT_EQ(Totals(), (LaneTotals{.views = 8}));
  EXPECT_FALSE(Apply(part).applied);
  EXPECT_EQ(Totals(), (LaneTotals{.views = 8}));
  EXPECT_EQ(Claim(lane_)->totals, (LaneTotals{.views = 8}));
}

TEST_F(TotalsTest, AClaimSaysWhetherTheLaneWasKnown) {
  const LaneIdentity other{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  EXPECT_FALSE(Claim(other)->known);
  EXPECT_TRUE(Claim(other)->known);
}

TEST_F(TotalsTest, ALaneIsReadWithoutBeingClaimed) {
  Part part = NextPart();
  part.lost = 7;
  EXPECT_TRUE(Apply(part).applied);
  const auto stored = pipeline_.Await(pipeline_.store().ReadLane(kShard, lane_.id));
  ASSERT_TRUE(stored.ok() && stored->entry);
  EXPECT_EQ(stored->entry->cursor, part.next);
  EXPECT_EQ(stored->entry->incarnation, lane_.incarnation);
  EXPECT_EQ(stored->totals, (LaneTotals{.lost = 7}));
  const auto unknown = pipeline_.Await(pipeline_.store().ReadLane(kShard, RandomId<LaneId>()));
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(unknown->entry);
  redis_.Command({"HSET", keys::Lanes(kShard), ToHex(lane_.id), "nonsense"});
  EXPECT_TRUE(absl::IsDataLoss(pipeline_.Await(pipeline_.store().ReadLane(kShard, lane_.id)).status()));
}

TEST_F(TotalsTest, APartWithoutHashesOnlyMovesTheCursor) {
  EXPECT_TRUE(Apply(NextPart()).applied);
  EXPECT_EQ(Claim(lane_)->cursor, Cursor::End(at_));
  EXPECT_THAT(redis_.List({"KEYS", "vc:{05}:*"}), ElementsAre("vc:{05}:lanes"));
}

TEST_F(TotalsTest, WhatIsSetAsideIsCountedOfAllTimeOnly) {
  redis_.Command({"HSET", "vc:{05}:demo:all", "broken", "many", "full", std::to_string(kHighest - 1)});
  redis_.Command({"HSET", "vc:{05}:demo:d:20261122", "fine", "none"});
  const ApplyResult result = Apply(NextPart({Views(kAll, {{"broken", 1}, {"fine", 2}, {"full", 4}}),
                                             Views(kDay, {{"fine", 2}}), Views(kBots, {{"fine", 8}})}));
  EXPECT_EQ(result.set_aside.size(), 3u);
  EXPECT_EQ(Totals(), (LaneTotals{.views = 15, .set_aside = 5}));
  // `all` lacks 5 views and the day lacks 2, so they differ by 3.
  EXPECT_EQ(Total("apart:demo"), "-3");
}

TEST_F(TotalsTest, AHashWhoseSumIsUnusableIsSetAsideWhole) {
  redis_.Command({"HSET", "vc:{05}:demo:all", "", "many"});
  const ApplyResult result = Apply(NextPart({Views(kAll, {{"a", 1}, {"b", 2}}), Views(kBots, {{"a", 8}})}));
  ASSERT_EQ(result.set_aside.size(), 2u);
  EXPECT_EQ(result.set_aside[1].article_id, "b");
  EXPECT_EQ(result.set_aside[1].views, 2);
  EXPECT_EQ(Totals(), (LaneTotals{.views = 11, .set_aside = 3}));
  EXPECT_EQ(Field(kAll, "a"), "(nil)");
}

TEST_F(TotalsTest, ASumNeverPassesTwoToThe53) {
  EXPECT_TRUE(Apply(NextPart({Views(kAll, {{"a", kHighest}})})).set_aside.empty());
  EXPECT_EQ(Apply(NextPart({Views(kAll, {{"b", 1}})})).set_aside.size(), 1u);
  EXPECT_EQ(Field(kAll, ""), std::to_string(kHighest));
  EXPECT_EQ(Totals(), (LaneTotals{.views = kHighest + 1, .set_aside = 1}));
}

TEST_F(TotalsTest, TotalsThatAreNoNumbersStopTheLaneBeforeAnythingIsWritten) {
  redis_.Command({"HSET", "vc:{05}:totals", ToHex(lane_.id) + ":views", "many"});
  const Part part = NextPart({Views(kAll, {{"a", 1}})});
  EXPECT_TRUE(absl::IsDataLoss(pipeline_.Await(pipeline_.store().Apply(part)).status()));
  redis_.Command({"DEL", "vc:{05}:totals"});
  redis_.Command({"SET", "vc:{05}:totals", "no hash"});
  EXPECT_TRUE(absl::IsDataLoss(pipeline_.Await(pipeline_.store().Apply(part)).status()));
  EXPECT_EQ(redis_.Command({"EXISTS", "vc:{05}:demo:all"}), "0");
  redis_.Command({"DEL", "vc:{05}:totals"});
  EXPECT_TRUE(Apply(part).applied);
}

TEST_F(TotalsTest, RemovedLanesLeaveTheirTotalsToTheRetired) {
  Part part = NextPart({Views(kAll, {{"a", 3}}), AdjustmentOf(kAll, {{"a", -1}})});
  part.lost = 4;
  Apply(part);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(pipeline_.Await(pipeline_.store().RemoveLanes(kShard, {lane_.id, RandomId<LaneId>()})).ok());
    EXPECT_THAT(redis_.List({"HGETALL", "vc:{05}:totals"}),
                ElementsAre("apart:demo", "-1", "adjusted_parts", "1", "retired:views", "3", "retired:adjusted", "-1",
                            "retired:lost", "4"));
  }
  // The entry of the pipeline's own lane still exists.
  EXPECT_THAT(redis_.List({"HKEYS", "vc:{05}:lanes"}), ElementsAre(ToHex(pipeline_.lane().id)));
  const Claimed anew = *Claim(lane_);
  EXPECT_FALSE(anew.known);
  EXPECT_EQ(anew.totals, LaneTotals());
}

TEST_F(TotalsTest, AnAdjustmentComesBehindTheViewsOfItsPart) {
  Apply(NextPart({AdjustmentOf(kAll, {{"a", -2}, {"b", 10}}), Views(kAll, {{"a", 5}})}));
  EXPECT_EQ(Field(kAll, "a"), "3");
  EXPECT_EQ(Field(kAll, "b"), "10");
  EXPECT_EQ(Field(kAll, ""), "13");
  EXPECT_EQ(Totals(), (LaneTotals{.views = 5, .adjusted = 8}));
  EXPECT_EQ(Total("apart:demo"), "8");
  EXPECT_THAT(Ranked(), ElementsAre("b", "a"));
}

TEST_F(TotalsTest, ACountLoweredToZeroIsRemoved) {
  Apply(NextPart({Views(kAll, {{"a", 5}})}));
  EXPECT_TRUE(Apply(NextPart({AdjustmentOf(kAll, {{"a", -5}})})).set_aside.empty());
  ExpectNothingLeft();
  EXPECT_EQ(Totals(), (LaneTotals{.views = 5, .adjusted = -5}));
}

TEST_F(TotalsTest, ViewsThatMakeUpForACountBelowZeroLeaveNothingBehind) {
  Apply(NextPart({AdjustmentOf(kAll, {{"a", -6}})}));
  EXPECT_EQ(Field(kAll, "a"), "-6");
  EXPECT_EQ(Field(kAll, ""), "-6");
  Apply(NextPart({Views(kAll, {{"a", 6}})}));
  ExpectNothingLeft();
  EXPECT_EQ(Totals(), (LaneTotals{.views = 6, .adjusted = -6}));
}

TEST_F(TotalsTest, ASitesStartValueIsInItsSumOnly) {
  Apply(NextPart({AdjustmentOf(kAll, {{"", kHighest - 3}})}));
  EXPECT_EQ(Field(kAll, ""), std::to_string(kHighest - 3));
  EXPECT_EQ(Total("start:demo:all"), std::to_string(kHighest - 3));
  EXPECT_EQ(Totals(), (LaneTotals{.adjusted = kHighest - 3}));
  EXPECT_THAT(Ranked(), IsEmpty());
  Apply(NextPart({Views(kAll, {{"a", 2}}), AdjustmentOf(kAll, {{"", 1 - kHighest}, {"a", 1}})}));
  EXPECT_EQ(Field(kAll, ""), "1");
  EXPECT_EQ(Total("start:demo:all"), "-2");
  EXPECT_EQ(Field(kAll, "a"), "3");
}

TEST_F(TotalsTest, LoweringARankedArticleBringsBackTheOneItHadPushedOut) {
  Apply(NextPart({Views(kAll, {{"a", 10}, {"b", 9}, {"c", 8}, {"d", 7}, {"e", 6}, {"f", 5}})}));
  EXPECT_THAT(Ranked(), ElementsAre("a", "b", "c"));
  Apply(NextPart({AdjustmentOf(kAll, {{"a", -1}})}));
  EXPECT_THAT(Ranked(), ElementsAre("a", "b", "c"));
  Apply(NextPart({AdjustmentOf(kAll, {{"b", -9}, {"f", 1}})}));
  EXPECT_THAT(Ranked(), ElementsAre("a", "c", "d"));
  Apply(NextPart({AdjustmentOf(kAll, {{"a", -8}, {"c", -8}})}));
  EXPECT_THAT(Ranked(), ElementsAre("d", "e", "f"));
  EXPECT_EQ(redis_.Command({"ZSCORE", "vc:{05}:demo:top:all", "f"}), "-6");
}

TEST_F(TotalsTest, ARankingIsRebuiltFromAHashOfManyThousands) {
  std::vector<std::string> words = {"HSET", "vc:{05}:demo:all", "", "12507500"};
  for (int i = 1; i <= 5'000; ++i) {
    words.push_back("article-" + std::to_string(i));
    words.push_back(std::to_string(i));
  }
  redis_.Command({"CONFIG", "SET", "hash-max-listpack-entries", "100000"});
  redis_.Command(words);
  redis_.Command(
      {"ZADD", "vc:{05}:demo:top:all", "-5000", "article-5000", "-4999", "article-4999", "-4998", "article-4998"});
  Apply(NextPart({AdjustmentOf(kAll, {{"article-4999", -4'000}})}));
  EXPECT_THAT(Ranked(), ElementsAre("article-5000", "article-4998", "article-4997"));
}

TEST_F(TotalsTest, NotesAreKeptInTheSameStep) {
  Part part = NextPart({AdjustmentOf(kAll, {{"a", 3}})});
  part.notes = {{"demo", "2 b", "by hand"}, {"demo", "1", "why \"not\"\n"}, {"other", "1", "x"}};
  Apply(part);
  const auto notes = pipeline_.Await(pipeline_.store().ReadNotes(kShard, "demo"));
  ASSERT_TRUE(notes.ok()) << notes.status();
  EXPECT_THAT(*notes, ElementsAre(StoredNote{"1", "why \"not\"\n"}, StoredNote{"2 b", "by hand"}));
  EXPECT_THAT(redis_.List({"HGETALL", "vc:{05}:other:adjustments"}), ElementsAre("1", "x"));
  EXPECT_THAT(*pipeline_.Await(pipeline_.store().ReadNotes(Shard{6}, "demo")), IsEmpty());
}

TEST_F(TotalsTest, ANoteWithoutAPlaceIsSetAside) {
  redis_.Command({"SET", "vc:{05}:demo:adjustments", "x"});
  Part part = NextPart({AdjustmentOf(kAll, {{"a", 3}})});
  part.notes = {{"demo", "1", "text"}};
  const ApplyResult result = Apply(part);
  ASSERT_EQ(result.set_aside.size(), 1u);
  EXPECT_EQ(result.set_aside[0].key, "vc:{05}:demo:adjustments");
  EXPECT_EQ(Field(kAll, "a"), "3");
}

}  // namespace
}  // namespace viewcount
