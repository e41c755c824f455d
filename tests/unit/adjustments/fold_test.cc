// Tests adjustments next to views in the chunk, the ledger and the flush plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <optional>
#include <random>

#include "service/base/hash.h"
#include "service/flush/chunk_plan.h"
#include "service/lane/ledger.h"
#include "tests/support/memory_store.h"
#include "tests/support/seed.h"
#include "tests/unit/adjustments/make_adjustment.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;

constexpr Window kAll{Window::Kind::kAllTime, 0};
constexpr Window kBots{Window::Kind::kBots, 0};
constexpr Window kDay{Window::Kind::kDay, 20261122};

class FoldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(sites_.Put(*MakeSite("demo", {})).ok());
    ledger_.ApplySite(site());
  }
  std::shared_ptr<const Site> site() const { return sites_.Find("demo"); }
  uint64_t HashOf(std::string_view id) const { return ArticleHash(site()->seed, id); }
  void Adjust(const Adjustment& adjustment) {
    ledger_.Fold(site()->index, adjustment, {});
    ledger_.MarkDurable(Position{++end_});
  }
  int64_t Pending(std::string_view id, Window window) const {
    return ledger_.Lock().Pending(Cursor(), *site(), HashOf(id), id, window);
  }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    auto result = boost::asio::co_spawn(context_, std::move(coroutine), boost::asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

  boost::asio::io_context context_;
  SiteDirectory sites_;
  Ledger ledger_{RandomId<LaneId>()};
  uint64_t end_ = 0;
};

TEST_F(FoldTest, AChunkAddsAdjustmentsToItsViews) {
  Chunk chunk(Position{0});
  chunk.Add(SiteIndex{0}, HashOf("a"), "a", chunk.BucketIndex({SiteIndex{0}, 498'712, 20261122}), 5, false);
  chunk.Adjust(SiteIndex{0}, HashOf("a"), "a", kAll, -7);
  chunk.Adjust(SiteIndex{0}, HashOf("b"), "b", kBots, 3);
  const Chunk::Article& a = *chunk.Find(SiteIndex{0}, HashOf("a"), "a");
  EXPECT_EQ(chunk.ViewsOf(a, kAll), -2);
  EXPECT_EQ(chunk.ViewsOf(a, kDay), 5);
  EXPECT_EQ(chunk.ViewsOf(*chunk.Find(SiteIndex{0}, HashOf("b"), "b"), kBots), 3);
  // Adjustments are not included, because the audit compares views only.
  EXPECT_EQ(chunk.views(), 5u);
  EXPECT_EQ(chunk.views(ShardOf(HashOf("a"))), 5u);
}

TEST_F(FoldTest, PendingCountsFallAtOnce) {
  const Adjustment adjustment = TestAdjustment(1, {{"a", kAll, -7}, {"a", kDay, -2}, {"", kAll, 1'000}});
  Adjust(adjustment);
  EXPECT_EQ(Pending("a", kAll), -7);
  EXPECT_EQ(Pending("a", kDay), -2);
  EXPECT_EQ(Pending("", kAll), 1'000);
  std::map<std::string, int64_t> visited;
  EXPECT_TRUE(ledger_.ForEachPending(
      ledger_.TakeSnapshot(), ShardCursors(), *site(), kAll,
      [&](Shard, uint64_t, std::string_view id, int64_t views) { visited[std::string(id)] += views; }));
  EXPECT_EQ(visited, (std::map<std::string, int64_t>{{"", 1'000}, {"a", -7}}));
  const auto notes = ledger_.PendingNotes(*site());
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].text, adjustment.note_text);
}

TEST_F(FoldTest, WindowsSinceAMarkAreThoseOfEveryChunk) {
  const Ledger::Snapshot mark = ledger_.TakeSnapshot();
  Adjust(TestAdjustment(1, {{"a", kDay, 1}}));
  const SealedChunk sealed = ledger_.Next();
  Adjust(TestAdjustment(2, {{"a", kAll, 1}}));
  EXPECT_THAT(*ledger_.WindowsSince(mark, site()->index), ElementsAre(kAll, kDay));
  for (uint8_t i = 0; i < limits::kShards; ++i) ledger_.SetCursor(Shard{i}, Cursor::End(sealed.chunk->to()));
  ledger_.Release(*sealed.chunk);
  // A chunk was sealed and released since the mark.
  EXPECT_FALSE(ledger_.WindowsSince(mark, site()->index));
}

// The flush is interrupted at random points. Each time a new plan continues from the cursor.
TEST_F(FoldTest, AFlushThatBreaksOffAnywhereAppliesEveryChangeOnce) {
  std::mt19937_64 random(TestSeed());
  std::map<std::pair<std::string, Window>, int64_t> expected;
  std::vector<std::string> fields;
  for (int i = 0; i < 30; ++i) {
    std::vector<TestChange> changes;
    for (int n = 0; n < 500; ++n) {
      const Window window = std::array{kAll, kBots, kDay}[random() % 3];
      changes.push_back({random() % 50 == 0 ? "" : std::to_string(random() % 5'000), window,
                         static_cast<int64_t>(random() % 2'000) - 1'000});
      expected[{changes.back().article_id, window}] += changes.back().views;
    }
    const Adjustment adjustment = TestAdjustment(i, changes);
    fields.push_back(adjustment.note_field);
    Adjust(adjustment);
  }
  const SealedChunk sealed = ledger_.Next();
  MemoryStore store;
  const LaneIdentity lane{ledger_.lane(), RandomId<Incarnation>(), {}};
  for (uint8_t i = 0; i < limits::kShards; ++i) {
    Cursor cursor = Await(store.Claim(Shard{i}, lane))->cursor;
    std::optional<ChunkPlan> plan;
    do {
      if (!plan || random() % 3 == 0) plan.emplace(sealed, sites_);
      const PlannedPart planned = plan->NextPart(Shard{i}, cursor, lane);
      ASSERT_TRUE(Await(store.Apply(planned.part))->applied);
      cursor = planned.part.next;
    } while (!plan->IsFinished(Shard{i}, cursor));
  }
  for (const auto& [key, views] : expected) {
    const auto& [id, window] = key;
    if (id.empty()) continue;
    const std::vector<LaneId> lanes = {lane.id};
    const std::vector<Window> windows = {window};
    const std::vector<std::string_view> ids = {id};
    EXPECT_EQ(Await(store.ReadCounts(ShardOf(HashOf(id)), lanes, "demo", windows, ids))->counts[0][0], views) << id;
  }
  const auto notes = *Await(store.ReadNotes(ShardOf(HashOf("")), "demo"));
  ASSERT_EQ(notes.size(), fields.size());
  for (size_t i = 0; i < fields.size(); ++i) EXPECT_EQ(notes[i].field, fields[i]);
}

}  // namespace
}  // namespace viewcount
