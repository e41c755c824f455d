// Tests the contract of a count store for parts that fail, on the store in Redis and on the store in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/windows.h"
#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename Rig>
class TornShardContract : public ::testing::Test {
 protected:
  void SetUp() override {
    for (Writer* writer : {&own_, &other_}) ASSERT_TRUE(Await(store().Claim(kShard, writer->lane)).ok());
    ASSERT_TRUE(Await(store().Apply(NextPart(own_, {{"a", 1}, {"c", 4}})))->applied);
  }

  struct Writer {
    LaneIdentity lane{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
    Position at;
  };

  CountStore& store() { return rig_.store(); }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return rig_.Await(std::move(coroutine));
  }
  static Part NextPart(Writer& writer, std::vector<ArticleDelta> deltas) {
    Part part{kShard, writer.lane.id, writer.lane.incarnation, Cursor::End(writer.at)};
    writer.at.value += 10;
    part.next = Cursor::End(writer.at);
    part.hashes = {{"demo", kAll, deltas}, {"demo", kDay, deltas}};
    return part;
  }
  std::vector<int64_t> Counts(Window window) {
    const std::vector<LaneId> lanes = {own_.lane.id};
    const std::vector<Window> windows = {window};
    const std::vector<std::string_view> ids = {"a", "b", "c", ""};
    return Await(store().ReadCounts(kShard, lanes, "demo", windows, ids))->counts[0];
  }
  std::vector<std::string> Ranked(Window window) {
    const std::vector<LaneId> lanes = {own_.lane.id};
    const std::vector<WindowRead> reads = {{.window = window, .places = limits::kRankedAllTimeAndDay}};
    const auto read = Await(store().ReadWindows(kShard, lanes, "demo", reads));
    std::vector<std::string> texts;
    for (const RankedCount& article : read->windows[0].ranking.articles) {
      texts.push_back(article.article_id + " " + std::to_string(article.views));
    }
    return texts;
  }
  LaneTotals Totals(const Writer& writer) { return Await(store().ReadLane(kShard, writer.lane.id))->totals; }

  Rig rig_;
  Writer own_;
  Writer other_;
};

using TornRigs = ::testing::Types<FailingRedisRig, MemoryRig>;
TYPED_TEST_SUITE(TornShardContract, TornRigs);

TYPED_TEST(TornShardContract, AReaderNeverSeesHalfAPart) {
  for (const size_t changes : {1, 2, 3, 4, 5}) {
    const Part part = this->NextPart(this->own_, {{"a", 2}, {"b", 9}});
    const auto counts = this->Counts(kAll);
    const auto ranked = this->Ranked(kDay);
    const LaneTotals totals = this->Totals(this->own_);
    this->rig_.TearNext(changes);
    ASSERT_FALSE(this->Await(this->store().Apply(part)).ok());
    EXPECT_EQ(this->Counts(kAll), counts);
    EXPECT_EQ(this->Counts(kDay), counts);
    EXPECT_EQ(this->Ranked(kDay), ranked);
    EXPECT_EQ(this->Totals(this->own_), totals);
    ASSERT_TRUE(this->Await(this->store().Apply(part))->applied);
  }
  EXPECT_THAT(this->Counts(kAll), ElementsAre(11, 45, 4, 60));
  EXPECT_THAT(this->Ranked(kAll), ElementsAre("b 45", "a 11", "c 4"));
  EXPECT_EQ(this->Totals(this->own_), (LaneTotals{.views = 60}));
}

TYPED_TEST(TornShardContract, AnotherLanesPartComesAfterTheHalfPartIsUndone) {
  for (const size_t changes : {1, 2, 3, 4, 5}) {
    const Part part = this->NextPart(this->own_, {{"a", 2}, {"b", 9}});
    this->rig_.TearNext(changes);
    ASSERT_FALSE(this->Await(this->store().Apply(part)).ok());
    ASSERT_TRUE(this->Await(this->store().Apply(this->NextPart(this->other_, {{"a", 1}, {"b", 1}})))->applied);
    ASSERT_TRUE(this->Await(this->store().Apply(part))->applied);
  }
  EXPECT_THAT(this->Counts(kAll), ElementsAre(16, 50, 4, 70));
  EXPECT_EQ(this->Counts(kDay), this->Counts(kAll));
  EXPECT_EQ(this->Totals(this->own_), (LaneTotals{.views = 60}));
  EXPECT_EQ(this->Totals(this->other_), (LaneTotals{.views = 10}));
}

TYPED_TEST(TornShardContract, AClaimFindsTheCursorBeforeTheHalfPart) {
  const Cursor before = Cursor::End(this->own_.at);
  const Part part = this->NextPart(this->own_, {{"a", 2}});
  this->rig_.TearNext(2);
  ASSERT_FALSE(this->Await(this->store().Apply(part)).ok());
  const auto claimed = this->Await(this->store().Claim(kShard, this->own_.lane));
  ASSERT_TRUE(claimed.ok());
  EXPECT_EQ(claimed->cursor, before);
  EXPECT_EQ(claimed->totals, (LaneTotals{.views = 5}));
}

TYPED_TEST(TornShardContract, ARemovalThatFailsHalfWayIsUndone) {
  const std::vector<LaneId> lanes = {this->own_.lane.id};
  this->rig_.TearNext(1);
  ASSERT_FALSE(this->Await(this->store().RemoveLanes(kShard, lanes)).ok());
  EXPECT_TRUE(this->Await(this->store().ReadLane(kShard, this->own_.lane.id))->entry);
  EXPECT_EQ(this->Totals(this->own_), (LaneTotals{.views = 5}));
  ASSERT_TRUE(this->Await(this->store().RemoveLanes(kShard, lanes)).ok());
  EXPECT_EQ(this->Totals(this->own_), LaneTotals());
}

TYPED_TEST(TornShardContract, ARefusedCommandWritesNothing) {
  const Part part = this->NextPart(this->own_, {{"a", 2}});
  this->rig_.RefuseAll(true);
  const auto refused = this->Await(this->store().Apply(part));
  this->rig_.RefuseAll(false);
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  EXPECT_THAT(this->Counts(kAll), ElementsAre(1, 0, 4, 5));
  ASSERT_TRUE(this->Await(this->store().Apply(part))->applied);
  EXPECT_THAT(this->Counts(kAll), ElementsAre(3, 0, 4, 7));
}

}  // namespace
}  // namespace viewcount
