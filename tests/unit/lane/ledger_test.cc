// Tests the exact number of pending views. ledger_model_test.cc tests random interleavings.
#include "service/lane/ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "service/base/hash.h"
#include "tests/support/windows.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

// This hour begins at 2026-11-22T22:00Z.
constexpr int64_t kFirstHourMs = int64_t{498'718} * 3'600'000;

// Folds a batch that is durable immediately.
void Fold(Ledger& ledger, const Batch& batch, Position position) {
  ledger.Fold(batch);
  ledger.MarkDurable(position);
}

TEST(Ledger, NothingIsSealedOfNothing) {
  Ledger ledger(RandomId<LaneId>());
  EXPECT_EQ(ledger.Next().chunk, nullptr);
  EXPECT_EQ(ledger.totals().oldest, SteadyTime::max());
}

TEST(Ledger, OldestIsThatOfBothChunks) {
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(MakeIndexed("demo", 0));
  TestBatch first({"a"});
  TestBatch second({"b"});
  second.receipt_time = first.receipt_time + std::chrono::seconds(1);
  Fold(ledger, first, Position{10});
  const auto chunk = ledger.Next().chunk;
  Fold(ledger, second, Position{20});
  EXPECT_EQ(ledger.totals().oldest, first.receipt_time);
  EXPECT_EQ(ledger.totals().flushed, Position{0});
  ledger.Release(*chunk);
  EXPECT_EQ(ledger.totals().oldest, second.receipt_time);
  EXPECT_EQ(ledger.totals().flushed, Position{10});
}

TEST(Ledger, ASealedChunkNeverChanges) {
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(MakeIndexed("demo", 0));
  TestBatch batch({"a", "b"});
  Fold(ledger, batch, Position{10});
  const auto chunk = ledger.Next().chunk;
  Fold(ledger, batch, Position{20});
  EXPECT_EQ(ledger.Next().chunk, chunk);
  EXPECT_EQ(chunk->views(), 2u);
  EXPECT_EQ(chunk->to(), Position{10});
}

// A view that is folded before it is durable is counted, but is not sealed for the store.
TEST(Ledger, WhatIsNotDurableIsPendingAndNotSealed) {
  Ledger ledger(RandomId<LaneId>());
  const auto site = MakeIndexed("demo", 0);
  ledger.ApplySite(site);
  const uint64_t hash = ArticleHash(site->seed, "a");
  int told = 0;
  ledger.NotifySealed([&] { ++told; });
  TestBatch batch({"a"});
  Fold(ledger, batch, Position{10});
  ledger.Fold(batch);
  EXPECT_EQ(ledger.Lock().Pending(Cursor(), *site, hash, "a", kAll), 2u);
  EXPECT_EQ(ledger.Lock().Pending(ShardOf(hash)), 2u);
  EXPECT_EQ(ledger.totals().position, Position{10});
  EXPECT_EQ(ledger.Next().chunk, nullptr);
  EXPECT_EQ(told, 0);
  ledger.MarkDurable(Position{20});
  EXPECT_EQ(told, 1);
  const auto chunk = ledger.Next().chunk;
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(chunk->to(), Position{20});
  EXPECT_EQ(chunk->views(), 2u);
}

TEST(Ledger, WhatAnEarlierProcessLeftIsAbsentUntilItsCursorIsKnown) {
  const auto site = MakeIndexed("demo", 0);
  Ledger::Beginning beginning{.end = Position{100}, .folding = {}, .absent = ShardSet::All()};
  beginning.folding.ApplySite(site);
  const Shard shard = ShardOf(ArticleHash(site->seed, "a"));
  beginning.journaled[shard.value] = 7;
  Ledger ledger(RandomId<LaneId>(), std::move(beginning));
  EXPECT_EQ(ledger.FindSite(site->index), site);
  EXPECT_FALSE(ledger.Fits(shard, Cursor::End(Position{100})));
  EXPECT_EQ(ledger.totals().flushed, Position{0});
  EXPECT_EQ(ledger.Lock().Journaled(shard), 7u);
  for (uint8_t i = 0; i < limits::kShards; ++i) ledger.SetCursor(Shard{i}, Cursor::End(Position{100}));
  EXPECT_TRUE(ledger.totals().absent.empty());
  EXPECT_EQ(ledger.totals().flushed, Position{100});
  EXPECT_EQ(ledger.Next().chunk, nullptr);
}

// After the change of settings the same moment belongs to another day. Earlier views keep their day.
TEST(Ledger, SettingsHoldFromWhereTheyStand) {
  Ledger ledger(RandomId<LaneId>());
  const auto utc = MakeIndexed("demo", 0);
  ledger.ApplySite(utc);
  TestBatch batch({"a"});
  batch.request.views[0].event_time_unix_ms = kFirstHourMs;
  Fold(ledger, batch, Position{10});
  const auto hanoi = MakeIndexed("demo", 0, "Asia/Ho_Chi_Minh");
  ledger.ApplySite(hanoi);
  for (uint64_t i = 2; i < 5; ++i) Fold(ledger, batch, Position{10 * i});
  const auto still = ledger.Lock();
  const uint64_t hash = ArticleHash(utc->seed, "a");
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", {Window::Kind::kDay, 20261122}), 1u);
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", {Window::Kind::kDay, 20261123}), 3u);
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", kAll), 4u);
}

// Cursors that were read after a mark are usable until a chunk has been sealed and released since. Then they must be
// read again.
TEST(Ledger, AMarkHoldsForOneChunkOnly) {
  Ledger ledger(RandomId<LaneId>());
  const auto site = MakeIndexed("demo", 0);
  ledger.ApplySite(site);
  TestBatch batch({"a"});
  const Shard shard = ShardOf(ArticleHash(site->seed, "a"));
  uint64_t seen = 0;
  const auto sum = [&](Shard, uint64_t, std::string_view, uint64_t views) { seen += views; };
  const auto flush = [&] {
    const auto chunk = ledger.Next().chunk;
    ledger.SetCursor(shard, Cursor::End(chunk->to()));
    ledger.Release(*chunk);
  };
  Fold(ledger, batch, Position{10});
  ASSERT_NE(ledger.Next().chunk, nullptr);
  const Ledger::Snapshot mark = ledger.TakeSnapshot();
  // These cursors were read before the sealed chunk reached the store.
  const ShardCursors cursors;
  flush();
  Fold(ledger, batch, Position{20});
  EXPECT_TRUE(ledger.ForEachPending(mark, cursors, *site, kAll, sum));
  EXPECT_EQ(seen, 2u);
  flush();
  EXPECT_FALSE(ledger.ForEachPending(mark, cursors, *site, kAll, sum));
}

// Each batch has one view of one article, and positions equal views. Cursor and pending views must always add up to the
// number of folded views.
TEST(Ledger, CursorsAndPendingAreOfOneMoment) {
  constexpr uint64_t kViews = 100'000;
  Ledger ledger(RandomId<LaneId>());
  const auto site = MakeIndexed("demo", 0);
  ledger.ApplySite(site);
  const uint64_t hash = ArticleHash(site->seed, "a");
  const Shard shard = ShardOf(hash);
  std::atomic<uint64_t> folded = 0;
  std::thread lane([&] {
    TestBatch batch({"a"});
    for (uint64_t i = 1; i <= kViews; ++i) {
      Fold(ledger, batch, Position{i});
      folded = i;
    }
  });
  std::thread flusher([&] {
    while (ledger.totals().flushed < Position{kViews}) {
      const auto chunk = ledger.Next().chunk;
      if (chunk == nullptr) continue;
      ledger.SetCursor(shard, Cursor::End(chunk->to()));
      ledger.Release(*chunk);
    }
  });
  uint64_t total = 0;
  while (total < kViews) {
    const uint64_t before = folded;
    {
      const auto still = ledger.Lock();
      const Cursor& cursor = still.CursorOf(shard);
      total = cursor.to().value + still.Pending(cursor, *site, hash, "a", kAll);
    }
    EXPECT_GE(total, before);
    EXPECT_LE(total, folded + 1);
  }
  lane.join();
  flusher.join();
}

}  // namespace
}  // namespace viewcount
