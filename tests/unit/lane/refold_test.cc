// Tests that refolding the journal gives the counts that were folded live, for any boundaries.
#include "service/lane/refold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <tuple>

#include "service/base/status.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/lane_rig.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ShardSet Shards(std::initializer_list<uint8_t> numbers) {
  ShardSet shards;
  for (const uint8_t number : numbers) shards.Add(Shard{number});
  return shards;
}

Cursor Middle(uint64_t from, uint64_t to) {
  return Cursor::Middle(Position{from}, Position{to}, {"demo", "a"}, Position{to});
}

TEST(PlanRefold, AllAtTheEndNeedNothing) {
  ShardCursors cursors;
  cursors.fill(Cursor::End(Position{100}));
  EXPECT_THAT(PlanRefold(ShardSet::All(), cursors, Position{100}), IsEmpty());
  EXPECT_THAT(PlanRefold(ShardSet(), ShardCursors(), Position{100}), IsEmpty());
}

TEST(PlanRefold, AllAtOnePlaceNeedOneChunk) {
  ShardCursors cursors;
  cursors.fill(Cursor::End(Position{40}));
  EXPECT_THAT(PlanRefold(ShardSet::All(), cursors, Position{100}),
              ElementsAre(RefoldTarget{{40}, {100}, ShardSet::All()}));
}

// The usual crash happens while a chunk is being applied. Some shards have the chunk, some do not, and one is in its
// middle.
TEST(PlanRefold, AHalfAppliedChunkIsFinishedFirst) {
  ShardCursors cursors;
  cursors.fill(Cursor::End(Position{40}));
  cursors[1] = cursors[2] = Cursor::End(Position{70});
  cursors[3] = Middle(40, 70);
  ShardSet behind = ShardSet::All();
  behind.Remove(Shards({1, 2}));
  EXPECT_THAT(PlanRefold(ShardSet::All(), cursors, Position{100}),
              ElementsAre(RefoldTarget{{40}, {70}, behind}, RefoldTarget{{70}, {100}, ShardSet::All()}));
}

TEST(PlanRefold, OnlyTheShardsAskedForCount) {
  ShardCursors cursors;
  cursors[7] = Cursor::End(Position{50});
  EXPECT_THAT(PlanRefold(Shards({7}), cursors, Position{80}), ElementsAre(RefoldTarget{{50}, {80}, Shards({7})}));
}

TEST(PlanRefold, MiddlesOfDifferentChunksAreFinishedEach) {
  ShardCursors cursors;
  cursors[1] = Middle(10, 30);
  cursors[2] = Middle(20, 50);
  cursors[3] = Cursor::End(Position{30});
  EXPECT_THAT(PlanRefold(Shards({1, 2, 3}), cursors, Position{60}),
              ElementsAre(RefoldTarget{{10}, {30}, Shards({1})}, RefoldTarget{{20}, {50}, Shards({2})},
                          RefoldTarget{{30}, {50}, Shards({1, 3})}, RefoldTarget{{50}, {60}, Shards({1, 2, 3})}));
}

TEST(PlanRefold, AMiddleOfAChunkThatEndsAtTheEndIsAllThereIs) {
  ShardCursors cursors;
  cursors[1] = Middle(10, 60);
  EXPECT_THAT(PlanRefold(Shards({1}), cursors, Position{60}), ElementsAre(RefoldTarget{{10}, {60}, Shards({1})}));
}

// For every shard the targets must lead from its cursor to the end in order, without a gap, and each only once.
TEST(PlanRefold, LeadsEveryShardToTheEndFromAnywhere) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 300; ++round) {
    const Position end{100 + random() % 100};
    const ShardSet shards{random()};
    ShardCursors cursors;
    for (Cursor& cursor : cursors) {
      const uint64_t to = random() % (end.value + 1);
      cursor = to > 0 && random() % 3 == 0 ? Middle(random() % to, to) : Cursor::End(Position{to});
    }
    const auto targets = PlanRefold(shards, cursors, end);
    ShardCursors reached = cursors;
    Position last;
    for (const RefoldTarget& target : targets) {
      ASSERT_GE(target.to, last);
      last = target.to;
      ASSERT_EQ(target.shards.bits & ~shards.bits, 0u);
      target.shards.ForEach([&](Shard shard) {
        Cursor& at = reached[shard.value];
        ASSERT_EQ(at.applied_to(), target.from);
        if (at.in_middle()) {
          ASSERT_EQ(at.to(), target.to);
        }
        at = Cursor::End(target.to);
      });
    }
    shards.ForEach([&](Shard shard) { ASSERT_EQ(reached[shard.value], Cursor::End(end)); });
  }
}

// Adds the chunk's views and bot views to `counts`, by site, ID, hour and day.
using Counts = std::map<std::tuple<uint32_t, std::string, uint32_t, uint32_t>, std::pair<uint64_t, uint64_t>>;

void AddTo(Counts& counts, const Chunk& chunk, ShardSet shards) {
  for (const Chunk::Article& article : chunk.articles()) {
    if (!shards.Has(ShardOf(article.hash))) continue;
    chunk.ForEachDelta(article, [&](const Chunk::Delta& delta) {
      const Chunk::Bucket& bucket = chunk.bucket(delta.bucket);
      auto& [views, bot_views] = counts[{article.site.value, std::string(article.id), bucket.hour, bucket.day}];
      views += delta.views;
      bot_views += delta.bot_views;
    });
  }
}

// This fixture runs a lane and keeps every group as it was folded live.
class RefoldTest : public ::testing::Test {
 protected:
  RefoldTest() {
    EXPECT_TRUE(rig_.sites.Put(*MakeSite("other", {"Asia/Tokyo"})).ok());
    for (const char* name : {"demo", "other"}) Apply(*rig_.sites.Find(name));
  }

  uint64_t Roll(uint64_t sides) { return random_() % sides; }
  void Apply(const Site& site) {
    rig_.lane->ApplySite(std::make_shared<const Site>(site));
    Step();
  }
  void ChangeZone() {
    static constexpr std::array kZones = {"UTC", "Asia/Ho_Chi_Minh", "America/New_York", "Asia/Tokyo"};
    const auto known = rig_.sites.Find(Roll(2) == 0 ? "demo" : "other");
    Site changed = *MakeSite(known->name, {kZones[Roll(kZones.size())]});
    changed.index = known->index;
    Apply(changed);
  }
  void SubmitSome() {
    std::vector<std::unique_ptr<EncodedBatch>> batches;
    for (size_t n = 1 + Roll(3); n > 0; --n) {
      v1::RecordViewsRequest message;
      message.set_import(Roll(2) == 0);
      for (size_t views = 1 + Roll(40); views > 0; --views) {
        auto* view = message.add_views();
        view->set_article_id("/story/" + std::to_string(Roll(200)));
        view->set_count(static_cast<uint32_t>(Roll(4)));
        view->set_bot(Roll(5) == 0);
        // 0 is the time of receipt.
        if (Roll(3) != 0) {
          view->set_event_time_unix_ms(rig_.clock.UnixMillis() - static_cast<int64_t>(Roll(20 * 3'600'000)));
        }
      }
      const auto site = rig_.sites.Find(Roll(2) == 0 ? "demo" : "other");
      batches.push_back(
          std::make_unique<EncodedBatch>(*site, std::move(message), rig_.clock.UnixMillis(), rig_.clock.Now()));
      ASSERT_TRUE(rig_.lane->Submit(batches.back().get()).ok());
    }
    Step();
    for (const auto& batch : batches) ASSERT_TRUE(batch->Wait().status.ok());
    rig_.clock.Advance(std::chrono::minutes(Roll(90)));
  }
  void Step() {
    ASSERT_TRUE(rig_.lane->Step());
    const SealedChunk sealed = rig_.ledger->Next();
    if (sealed.chunk == nullptr) return;
    live_.push_back(sealed.chunk);
    rig_.ledger->Release(*sealed.chunk);
  }
  Counts Live(const RefoldTarget& target) const {
    Counts counts;
    for (const auto& chunk : live_) {
      if (chunk->to() > target.from && chunk->to() <= target.to) AddTo(counts, *chunk, target.shards);
    }
    return counts;
  }
  // Returns a position at which a chunk may begin or end.
  Position Boundary(size_t index) const { return index == 0 ? Position{0} : live_[index - 1]->to(); }

  std::mt19937_64 random_{TestSeed()};
  LaneRig rig_{{.segment_bytes = 64 << 10, .retention = std::chrono::milliseconds(0)}};
  std::vector<std::shared_ptr<const Chunk>> live_;
};

TEST_F(RefoldTest, GivesWhatWasFoldedLiveBetweenAnyBoundaries) {
  for (int i = 0; i < 400; ++i) {
    ASSERT_NO_FATAL_FAILURE(SubmitSome());
    if (Roll(6) == 0) ChangeZone();
  }
  ASSERT_GT(rig_.journal->bytes(), 3u * (64 << 10)) << "too few segments to be a test";
  for (int round = 0; round < 60; ++round) {
    std::vector<RefoldTarget> targets;
    for (size_t n = 1 + Roll(5); n > 0; --n) {
      const size_t from = Roll(live_.size());
      const size_t to = from + 1 + Roll(live_.size() - from);
      ShardSet shards{random_()};
      // The targets of one shard must not overlap.
      for (const RefoldTarget& other : targets) {
        if (other.from < Boundary(to) && Boundary(from) < other.to) shards.Remove(other.shards);
      }
      targets.push_back({Boundary(from), Boundary(to), shards});
    }
    const auto chunks = Refold(rig_.source, targets);
    ASSERT_TRUE(chunks.ok()) << chunks.status();
    ASSERT_EQ(chunks->size(), targets.size());
    for (size_t i = 0; i < targets.size(); ++i) {
      const SealedChunk& sealed = (*chunks)[i];
      EXPECT_EQ(sealed.shards, targets[i].shards);
      EXPECT_EQ(sealed.chunk->from(), targets[i].from);
      EXPECT_EQ(sealed.chunk->to(), targets[i].to);
      Counts folded;
      AddTo(folded, *sealed.chunk, ShardSet::All());
      ASSERT_EQ(folded, Live(targets[i]));
    }
  }
}

TEST_F(RefoldTest, ABoundaryInsideARecordIsRefused) {
  for (int i = 0; i < 20; ++i) ASSERT_NO_FATAL_FAILURE(SubmitSome());
  const Position begin = Boundary(5);
  const Position inside{Boundary(10).value - 1};
  const Position end = Boundary(20);
  for (const std::vector<RefoldTarget>& targets :
       {std::vector<RefoldTarget>{{begin, inside, ShardSet::All()}, {inside, end, ShardSet::All()}},
        std::vector<RefoldTarget>{{inside, end, ShardSet::All()}}}) {
    const auto chunks = Refold(rig_.source, targets);
    EXPECT_TRUE(absl::IsFailedPrecondition(chunks.status())) << chunks.status();
    EXPECT_THAT(std::string(ToStd(chunks.status().message())), HasSubstr(std::to_string(inside.value)));
  }
}

TEST_F(RefoldTest, WhatTheJournalLetGoIsOutOfRange) {
  while (rig_.journal->bytes() < 6 * (64 << 10)) ASSERT_NO_FATAL_FAILURE(SubmitSome());
  for (int i = 0; i < 3; ++i) {
    rig_.Flush();
    rig_.lane->Maintain();
    rig_.clock.Advance(std::chrono::hours(1));
  }
  const Position begin = rig_.journal->begin();
  ASSERT_GT(begin, Position{0});
  const Position end = live_.back()->to();
  EXPECT_TRUE(absl::IsOutOfRange(Refold(rig_.source, {{Position{0}, end, ShardSet::All()}}).status()));
  const auto chunks = Refold(rig_.source, {{begin, end, ShardSet::All()}});
  ASSERT_TRUE(chunks.ok()) << chunks.status();
  // The remaining records and the deleted ones together must give all views that were ever journaled.
  const auto before = JournaledBefore(rig_.source, begin, end);
  ASSERT_TRUE(before.ok()) << before.status();
  const ShardViews journaled = rig_.ledger->journaled();
  for (size_t i = 0; i < journaled.size(); ++i) {
    EXPECT_EQ(before->views[i] + (*chunks)[0].chunk->shard_views()[i], journaled[i]) << "shard " << i;
  }
}

TEST_F(RefoldTest, NothingToFoldReadsNothing) {
  const auto chunks = Refold(rig_.source, {});
  ASSERT_TRUE(chunks.ok());
  EXPECT_THAT(*chunks, IsEmpty());
}

}  // namespace
}  // namespace viewcount
