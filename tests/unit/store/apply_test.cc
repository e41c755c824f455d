// Tests the store protocol against a real Redis. The tests check the effect of one part, and which parts are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/store/redis/keys.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/windows.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;

constexpr Window kHour{Window::Kind::kHour, 498'733};

class ApplyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    ASSERT_EQ(pipeline_.Await(pipeline_.store().Claim(kShard, lane_))->cursor, Cursor());
  }

  Part PartOf(const Cursor& expected, const Cursor& next, std::vector<HashDelta> hashes) const {
    return {kShard, lane_.id, lane_.incarnation, expected, next, std::move(hashes)};
  }
  ApplyResult Apply(const Part& part) {
    auto result = pipeline_.Await(pipeline_.store().Apply(part));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : ApplyResult();
  }
  std::string Stored(Window window, const std::string& article) {
    return redis_.Command({"HGET", keys::Counts(kShard, "demo", window), article});
  }

  RedisProcess redis_;
  LanePipeline pipeline_{redis_};
  LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
};

TEST_F(ApplyTest, AddsToEveryHashItsSumAndRanking) {
  EXPECT_TRUE(
      Apply(PartOf(Cursor(), Cursor::End(Position{10}),
                   {{"demo", kAll, {{"a", 2}, {"b", 5}}}, {"demo", kDay, {{"b", 5}}}, {"demo", kHour, {{"b", 1}}}}))
          .applied);
  EXPECT_TRUE(
      Apply(PartOf(Cursor::End(Position{10}), Cursor::End(Position{20}), {{"demo", kAll, {{"a", 4}}}})).applied);
  EXPECT_EQ(Stored(kAll, "a"), "6");
  EXPECT_EQ(Stored(kAll, "b"), "5");
  EXPECT_EQ(Stored(kAll, ""), "11");
  EXPECT_EQ(Stored(kDay, "b"), "5");
  EXPECT_THAT(redis_.List({"ZRANGE", "vc:{05}:demo:top:all", "0", "-1", "WITHSCORES"}),
              ElementsAre("a", "-6", "b", "-5"));
  EXPECT_EQ(redis_.Command({"TTL", "vc:{05}:demo:d:20261122"}), "-1");
  const int ttl = std::stoi(redis_.Command({"TTL", keys::Counts(kShard, "demo", kHour)}));
  EXPECT_GT(ttl, 8 * 86'400 - 60);
  EXPECT_EQ(ttl, std::stoi(redis_.Command({"TTL", keys::Ranking(kShard, "demo", kHour)})));
}

TEST_F(ApplyTest, KeysAreNamedAsOthersRelyOn) {
  EXPECT_EQ(keys::Lanes(Shard{7}), "vc:{07}:lanes");
  EXPECT_EQ(keys::Counts(Shard{63}, "demo", kAll), "vc:{63}:demo:all");
  EXPECT_EQ(keys::Counts(Shard{63}, "demo", kDay), "vc:{63}:demo:d:20261122");
  EXPECT_EQ(keys::Counts(Shard{0}, "demo", {Window::Kind::kHour, 0}), "vc:{00}:demo:h:1970010100");
  EXPECT_EQ(keys::Counts(Shard{0}, "demo", kHour), "vc:{00}:demo:h:2026112313");
  EXPECT_EQ(keys::Counts(Shard{0}, "demo", {Window::Kind::kBots, 0}), "vc:{00}:demo:bots");
  EXPECT_EQ(keys::Ranking(Shard{0}, "demo", kHour), "vc:{00}:demo:top:h:2026112313");
  EXPECT_EQ(keys::Ranking(Shard{0}, "demo", {Window::Kind::kBots, 0}), "");
}

TEST_F(ApplyTest, TheSamePartTwiceAddsOnce) {
  const Part part = PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}});
  EXPECT_TRUE(Apply(part).applied);
  const ApplyResult again = Apply(part);
  EXPECT_FALSE(again.applied);
  EXPECT_EQ(again.stored, ToHex(lane_.incarnation) + " END 10");
  EXPECT_EQ(Stored(kAll, "a"), "2");
}

// A store that was rolled back from chunk 100 to 90 must not accept chunk 101. The views of the chunks in between would
// be lost.
TEST_F(ApplyTest, APartBeyondTheStoredCursorIsRefused) {
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{90}), {{"demo", kAll, {{"a", 1}}}})).applied);
  EXPECT_FALSE(
      Apply(PartOf(Cursor::End(Position{100}), Cursor::End(Position{101}), {{"demo", kAll, {{"a", 1}}}})).applied);
  EXPECT_EQ(Stored(kAll, "a"), "1");
}

TEST_F(ApplyTest, AnotherIncarnationIsRefused) {
  const Part late = PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}});
  const LaneIdentity restarted{lane_.id, RandomId<Incarnation>(), {lane_.incarnation}};
  EXPECT_EQ(pipeline_.Await(pipeline_.store().Claim(kShard, restarted))->cursor, Cursor());
  EXPECT_FALSE(Apply(late).applied);
  EXPECT_EQ(Stored(kAll, "a"), "(nil)");
}

TEST_F(ApplyTest, AnUnclaimedShardIsRefused) {
  Part part = PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}});
  part.shard = Shard{6};
  const ApplyResult result = Apply(part);
  EXPECT_FALSE(result.applied);
  EXPECT_FALSE(result.stored);
}

TEST_F(ApplyTest, AClaimMayBeRepeatedButNotByAStranger) {
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{10}), {})).applied);
  EXPECT_EQ(pipeline_.Await(pipeline_.store().Claim(kShard, lane_))->cursor, Cursor::End(Position{10}));
  const LaneIdentity stranger{lane_.id, RandomId<Incarnation>(), {}};
  const auto claimed = pipeline_.Await(pipeline_.store().Claim(kShard, stranger));
  EXPECT_EQ(ReasonOf(claimed.status()), "FENCED");
  EXPECT_EQ(MetadataOf(claimed.status(), "cursor"), "END 10");
}

TEST_F(ApplyTest, WhatIsNoCountIsSetAsideAndTheRestApplied) {
  redis_.Command({"HSET", "vc:{05}:demo:all", "broken", "many"});
  redis_.Command({"HSET", "vc:{05}:demo:all", "full", "9007199254740990"});
  redis_.Command({"SET", "vc:{05}:demo:d:20261122", "not a hash"});
  const ApplyResult result =
      Apply(PartOf(Cursor(), Cursor::End(Position{10}),
                   {{"demo", kAll, {{"broken", 1}, {"fine", 2}, {"full", 3}}}, {"demo", kDay, {{"fine", 2}}}}));
  EXPECT_TRUE(result.applied);
  ASSERT_EQ(result.set_aside.size(), 3u);
  EXPECT_EQ(result.set_aside[0].article_id, "broken");
  EXPECT_EQ(result.set_aside[1].article_id, "full");
  EXPECT_EQ(result.set_aside[1].views, 3);
  EXPECT_EQ(result.set_aside[2].key, "vc:{05}:demo:d:20261122");
  EXPECT_EQ(Stored(kAll, "fine"), "2");
  EXPECT_EQ(Stored(kAll, "full"), "9007199254740990");
  EXPECT_EQ(Stored(kAll, ""), "2");
  EXPECT_EQ(redis_.Command({"GET", "vc:{05}:demo:d:20261122"}), "not a hash");
}

TEST_F(ApplyTest, CountsAreExactUpToTwoToThe53) {
  redis_.Command({"HSET", "vc:{05}:demo:all", "a", "9007199254740000", "", "0"});
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 992}}}})).applied);
  EXPECT_EQ(Stored(kAll, "a"), "9007199254740992");
  const std::vector<LaneId> lanes = {lane_.id};
  const std::vector<WindowRead> reads = {{.window = kAll, .places = 10}};
  const auto read = pipeline_.Await(pipeline_.store().ReadWindows(kShard, lanes, "demo", reads));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->windows[0].ranking.articles.size(), 1u);
  EXPECT_EQ(read->windows[0].ranking.articles[0].views, int64_t{1} << 53);
}

TEST_F(ApplyTest, AnArticleOfAnyNumberOfDaysIsReadAtOneMoment) {
  // More commands than a connection takes at once.
  constexpr uint32_t kDays = limits::kStorePendingCommandsMax + 100;
  std::vector<Window> days;
  for (uint32_t day = 0; day < kDays; ++day) days.push_back({Window::Kind::kDay, 19'700'101 + day});
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", days.back(), {{"a", 3}}}})).applied);
  const std::vector<LaneId> lanes = {lane_.id};
  const std::vector<std::string_view> ids = {"a"};
  const auto counts = pipeline_.Await(pipeline_.store().ReadCounts(kShard, lanes, "demo", days, ids));
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), kDays);
  EXPECT_EQ(counts->counts.front()[0], 0);
  EXPECT_EQ(counts->counts.back()[0], 3);
  EXPECT_EQ(counts->lanes[0]->cursor, Cursor::End(Position{10}));
}

TEST_F(ApplyTest, OutOfMemoryWritesNothing) {
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  const Part part = PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}});
  EXPECT_TRUE(absl::IsResourceExhausted(pipeline_.Await(pipeline_.store().Apply(part)).status()));
  redis_.Command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(redis_.Command({"EXISTS", "vc:{05}:demo:all"}), "0");
  EXPECT_TRUE(Apply(part).applied);
}

TEST_F(ApplyTest, ScriptsAreSentAgainAfterRedisForgotThem) {
  redis_.Command({"SCRIPT", "FLUSH"});
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}})).applied);
}

TEST_F(ApplyTest, ReadsAnswerCountsAndCursorsOfOneMoment) {
  EXPECT_TRUE(Apply(PartOf(Cursor(), Cursor::End(Position{10}), {{"demo", kAll, {{"a", 2}}}})).applied);
  const auto read = pipeline_.Await(
      pipeline_.store().ReadCounts(kShard, {lane_.id, RandomId<LaneId>()}, "demo", {kAll, kDay}, {"a", "unknown"}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->counts, ElementsAre(ElementsAre(2, 0), ElementsAre(0, 0)));
  ASSERT_TRUE(read->lanes[0]);
  EXPECT_EQ(read->lanes[0]->cursor, Cursor::End(Position{10}));
  EXPECT_EQ(read->lanes[0]->incarnation, lane_.incarnation);
  EXPECT_FALSE(read->lanes[1]);
}

TEST_F(ApplyTest, RemovedLanesAreForgotten) {
  EXPECT_TRUE(pipeline_.Await(pipeline_.store().RemoveLanes(kShard, {lane_.id})).ok());
  // The entry of the pipeline's own lane still exists.
  EXPECT_THAT(redis_.List({"HKEYS", "vc:{05}:lanes"}), ElementsAre(ToHex(pipeline_.lane().id)));
}

}  // namespace
}  // namespace viewcount
