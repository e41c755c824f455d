// Tests the repair of a store that is rolled back, emptied, or written to by others. Views that the journal holds are
// applied again. Views that it no longer holds are reported as lost, with their exact number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <random>

#include "service/base/status.h"
#include "service/flush/flusher.h"
#include "tests/support/log_capture.h"
#include "tests/support/memory_store.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"
#include "tests/unit/flush/faulty_store.h"
#include "tests/unit/lane/lane_rig.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using Totals = std::map<std::string, uint64_t>;

constexpr uint64_t kSegment = 64 << 10;

// This fixture runs a lane, its flusher and a store in memory and on one thread. Every shard is a node that can be
// rolled back separately.
class RepairTest : public ::testing::Test {
 protected:
  explicit RepairTest(FaultyStore::Faults faults = {}) : faulty_(store_, std::move(faults)) { Start(); }

  template <typename Result>
  Result Await(asio::awaitable<Result> coroutine) {
    auto result = asio::co_spawn(context_, std::move(coroutine), asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }
  // Starts a flusher for the lane in its current state.
  absl::Status TryStart() {
    if (!identity_.incarnation.IsNone()) identity_.earlier.push_back(identity_.incarnation);
    identity_.incarnation = RandomId<Incarnation>();
    flusher_ = std::make_unique<Flusher>(
        context_.get_executor(),
        Flusher::Dependencies{.ledger = *rig_.ledger,
                              .store = faulty_,
                              .listener = listener_,
                              .journal = *rig_.journal,
                              .source = rig_.source,
                              .clock = rig_.clock,
                              .metrics = rig_.metrics,
                              .blocking = context_.get_executor()},
        Flusher::Options{.lane = identity_, .fenced = [this](const absl::Status& why) { fenced_ = why; }});
    absl::Status status = Await(flusher_->Recover());
    // A call that was lost on the way is repeated, as the server does.
    for (int i = 0; i < 200 && absl::IsDeadlineExceeded(status); ++i) status = Await(flusher_->Recover());
    if (!status.ok()) return status;
    rig_.lane->ApplySite(rig_.site);
    (void)rig_.lane->Step();
    return status;
  }
  void Start() {
    const auto status = TryStart();
    ASSERT_TRUE(status.ok()) << status;
  }
  // Simulates a process that is killed and started again.
  void Restart() {
    flusher_.reset();
    rig_.Recover();
    Start();
  }
  void Fold(const std::vector<std::string>& ids, uint32_t count = 1) {
    for (size_t begin = 0; begin < ids.size(); begin += 500) {
      v1::RecordViewsRequest message;
      for (size_t i = begin; i < std::min(ids.size(), begin + 500); ++i) {
        auto* view = message.add_views();
        view->set_article_id(ids[i]);
        view->set_count(count);
        totals_[ids[i]] += count;
      }
      EncodedBatch batch(*rig_.site, std::move(message), rig_.clock.UnixMillis(), rig_.clock.Now());
      ASSERT_TRUE(rig_.lane->Submit(&batch).ok());
      ASSERT_TRUE(rig_.lane->Step());
      ASSERT_TRUE(batch.Wait().status.ok());
    }
  }
  absl::Status Flush() { return Await(flusher_->Step()); }
  void FlushAtLast() {
    absl::Status status;
    for (int i = 0; i < 1'000; ++i) {
      if ((status = Flush()).ok()) return;
    }
    FAIL() << status;
  }
  Totals Stored() {
    Totals stored;
    for (const auto& [id, views] : totals_) {
      const Shard shard = ShardOfId(id);
      const auto counts = Await(store_.ReadCounts(shard, {identity_.id}, "demo", {kAll}, {id}));
      EXPECT_TRUE(counts.ok());
      if (counts->counts[0][0] > 0) stored[id] = counts->counts[0][0];
    }
    return stored;
  }
  StoredLane Lane(Shard shard) { return *Await(store_.ReadLane(shard, identity_.id)); }
  Shard ShardOfId(const std::string& id) { return ShardOf(ArticleHash(rig_.site->seed, id)); }
  std::vector<std::string> IdsIn(Shard shard, size_t count) {
    std::vector<std::string> ids;
    for (int i = 0; ids.size() < count; ++i) {
      std::string id = "/story/" + std::to_string(i);
      if (ShardOfId(id) == shard) ids.push_back(std::move(id));
    }
    return ids;
  }
  void EmptyTheStore() {
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      store_.Rollback(i, store_.history(i));
    }
  }
  void ExpectAllWell() {
    EXPECT_EQ(Stored(), totals_);
    EXPECT_EQ(rig_.metrics.lost_views.Value(), 0);
    EXPECT_EQ(rig_.metrics.audit_differences.Value(), 0);
    EXPECT_EQ(rig_.ledger->totals().pending_views, 0u);
  }

  asio::io_context context_;
  LaneRig rig_{{.segment_bytes = kSegment, .retention = std::chrono::milliseconds(0), .has_flusher = true}};
  MemoryStore store_{{.nodes = limits::kShards, .history = 100'000}};
  FaultyStore faulty_;
  AppliedListener* listener_ = nullptr;
  LaneIdentity identity_{.id = LaneRig::kLane, .incarnation = {}, .earlier = {}};
  std::unique_ptr<Flusher> flusher_;
  absl::Status fenced_;
  Totals totals_;
};

TEST_F(RepairTest, AShardThatWentBackToAChunksEndIsRefolded) {
  const auto ids = IdsIn(Shard{9}, 10);
  Fold(ids, 3);
  FlushAtLast();
  const Cursor before = Lane(Shard{9}).entry->cursor;
  Fold(ids, 4);
  FlushAtLast();
  ASSERT_EQ(store_.Rollback(9, 1), 1u);
  ASSERT_EQ(Lane(Shard{9}).entry->cursor, before);
  FlushAtLast();
  ExpectAllWell();
  EXPECT_EQ(rig_.metrics.store_rollbacks.Value(), 1);
}

// The shard's cursor is in the middle of a chunk that left memory long ago.
TEST_F(RepairTest, AShardThatWentBackIntoAReleasedChunkIsRefolded) {
  const auto ids = IdsIn(Shard{9}, 2 * limits::kFlushPartArticlesMax + 100);
  Fold(ids, 1);
  FlushAtLast();
  Fold(ids, 2);
  FlushAtLast();
  // Rolls back the three parts of the second chunk and the last part of the first chunk.
  ASSERT_EQ(store_.Rollback(9, 4), 4u);
  ASSERT_TRUE(Lane(Shard{9}).entry->cursor.in_middle());
  Fold(ids, 4);
  FlushAtLast();
  ExpectAllWell();
}

TEST_F(RepairTest, AnEmptiedStoreIsFilledAgain) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3'000; ++i) ids.push_back("/story/" + std::to_string(i));
  for (uint32_t round = 1; round < 4; ++round) {
    Fold(ids, round);
    FlushAtLast();
  }
  EmptyTheStore();
  ASSERT_FALSE(Lane(Shard{0}).entry);
  FlushAtLast();
  ExpectAllWell();
}

// Views that were flushed before the journal's beginning are lost with the store. All others are applied again.
TEST_F(RepairTest, WhatNeitherHasIsLostAndSaidToBe) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2'000; ++i) ids.push_back("/story/" + std::to_string(i));
  while (rig_.journal->begin() == Position{0}) {
    Fold(ids);
    FlushAtLast();
    rig_.lane->Maintain();
    rig_.clock.Advance(std::chrono::minutes(1));
  }
  Fold(ids, 7);
  const Position begin = rig_.journal->begin();
  const auto before = JournaledBefore(rig_.source, begin, rig_.journal->end());
  ASSERT_TRUE(before.ok()) << before.status();
  uint64_t lost = 0;
  for (const uint64_t views : before->views) lost += views;
  ASSERT_GT(lost, 0u);
  LogCapture log;
  EmptyTheStore();
  FlushAtLast();
  EXPECT_EQ(rig_.metrics.lost_views.Value(), lost);
  EXPECT_THAT(log.text(), HasSubstr(std::to_string(lost) + " views between positions 0 and " +
                                    std::to_string(begin.value) + ", received before "));
  uint64_t all = 0;
  uint64_t stored = 0;
  for (const auto& [id, views] : totals_) all += views;
  for (const auto& [id, views] : Stored()) stored += views;
  EXPECT_EQ(stored + lost, all);
  const auto journaled = rig_.ledger->journaled();
  for (uint8_t i = 0; i < limits::kShards; ++i) {
    const LaneTotals totals = Lane(Shard{i}).totals;
    EXPECT_EQ(totals.lost, before->views[i]) << "shard " << int{i};
    EXPECT_EQ(totals.views + totals.lost, journaled[i]) << "shard " << int{i};
  }
  EXPECT_EQ(rig_.metrics.audit_differences.Value(), 0);
  // A loss is reported only once.
  Restart();
  FlushAtLast();
  EXPECT_EQ(rig_.metrics.lost_views.Value(), lost);
}

TEST_F(RepairTest, AJournalOlderThanTheStoreIsNotGoneOnFrom) {
  Fold({"a"});
  FlushAtLast();
  const Part ahead{.shard = Shard{3},
                   .lane = identity_.id,
                   .incarnation = identity_.incarnation,
                   .expected = Lane(Shard{3}).entry->cursor,
                   .next = Cursor::End(Position{1'000'000'000})};
  ASSERT_TRUE(Await(store_.Apply(ahead))->applied);
  rig_.Recover();
  const auto status = TryStart();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(ReasonOf(status), "BEYOND_JOURNAL");
  EXPECT_TRUE(fenced_.ok()) << "there is still something to be done about it";
}

TEST_F(RepairTest, ACursorBeyondTheJournalsEndStopsARunningLane) {
  Fold({"a"});
  FlushAtLast();
  const Part ahead{.shard = Shard{3},
                   .lane = identity_.id,
                   .incarnation = identity_.incarnation,
                   .expected = Lane(Shard{3}).entry->cursor,
                   .next = Cursor::End(Position{1'000'000'000})};
  ASSERT_TRUE(Await(store_.Apply(ahead))->applied);
  Fold({"a"});
  EXPECT_FALSE(Flush().ok());
  EXPECT_EQ(ReasonOf(fenced_), "BEYOND_JOURNAL");
}

// Views are written into the store without the lane. The audit reports the difference for as long as it exists.
TEST_F(RepairTest, TotalsThatDoNotAgreeAreShownAsLongAsTheyDoNot) {
  Fold({"a"}, 5);
  FlushAtLast();
  const Shard shard = ShardOfId("a");
  const Cursor cursor = Lane(shard).entry->cursor;
  const Part by_hand{.shard = shard,
                     .lane = identity_.id,
                     .incarnation = identity_.incarnation,
                     .expected = cursor,
                     .next = cursor,
                     .hashes = {{"demo", kAll, {{"a", 2}}}, {"demo", {Window::Kind::kDay, 20261122}, {{"a", 2}}}}};
  ASSERT_TRUE(Await(store_.Apply(by_hand))->applied);
  LogCapture log;
  for (int i = 0; i < 2; ++i) {
    store_.Restart();
    FlushAtLast();
    EXPECT_EQ(rig_.metrics.audit_differences.Value(), 1);
  }
  EXPECT_THAT(log.text(), HasSubstr("the journal has 5 views up to its cursor, the store 7 and 0 lost"));
  // Only claims were recorded after the manual part, so the loop rolls back those claims and that part.
  while (Lane(shard).totals.views != 5) {
    ASSERT_EQ(store_.Rollback(shard.value, 1), 1u);
  }
  FlushAtLast();
  EXPECT_EQ(rig_.metrics.audit_differences.Value(), 0);
}

// Notes the shard's cursor in the ledger before and after each move.
class NotingListener final : public AppliedListener {
 public:
  struct Noted {
    Cursor before;
    Cursor after;
  };
  explicit NotingListener(const Ledger& ledger) : ledger_(ledger) {}

  void Applied(Shard shard, Move move, const Chunk&, std::span<const uint32_t>) override {
    applied[shard].push_back(Note(shard, move));
  }
  void Rewound(Shard shard, Move move) override { rewound[shard].push_back(Note(shard, move)); }

  std::map<Shard, std::vector<Noted>> applied;
  std::map<Shard, std::vector<Noted>> rewound;

 private:
  Noted Note(Shard shard, Move move) {
    const Cursor before = ledger_.Lock().CursorOf(shard);
    move();
    return {before, ledger_.Lock().CursorOf(shard)};
  }

  const Ledger& ledger_;
};

// The cursor must not move before the listener lets it, because the listener's counts change at the same moment.
TEST_F(RepairTest, ACursorMovesWhenTheListenerCallsTheMove) {
  flusher_.reset();
  rig_.Recover();
  NotingListener listener(*rig_.ledger);
  listener_ = &listener;
  Start();
  const Shard shard = ShardOfId("a");
  const Cursor start = rig_.ledger->Lock().CursorOf(shard);
  Fold({"a"}, 5);
  FlushAtLast();
  const Cursor end = Lane(shard).entry->cursor;
  Cursor at = start;
  for (const auto& [before, after] : listener.applied[shard]) {
    EXPECT_EQ(before, at);
    EXPECT_LT(before, after);
    at = after;
  }
  EXPECT_EQ(at, end);
  listener.rewound.clear();
  ASSERT_EQ(store_.Rollback(shard.value, 1), 1u);
  const Cursor rolled_back = Lane(shard).entry->cursor;
  ASSERT_LT(rolled_back, end);
  FlushAtLast();
  ASSERT_EQ(listener.rewound.size(), 1u);
  ASSERT_EQ(listener.rewound[shard].size(), 1u);
  EXPECT_EQ(listener.rewound[shard][0].before, end);
  EXPECT_EQ(listener.rewound[shard][0].after, rolled_back);
  ExpectAllWell();
}

class SilentRollbackTest : public RepairTest {
 protected:
  SilentRollbackTest()
      : RepairTest({.claim =
                        [](Shard) {
                          ++claims_;
                          return Fate();
                        },
                    .hides_reconnects = true}) {}

  // The member is static because the constructor of the base class claims shards before this class's members exist.
  inline static int claims_ = 0;
};

// The store is rolled back while its connection stays open, and the lane has nothing to flush.
TEST_F(SilentRollbackTest, AnIdleFlusherLooksNowAndThen) {
  Fold({"a", "b", "c"}, 5);
  FlushAtLast();
  EmptyTheStore();
  const int before = claims_;
  rig_.clock.Advance(limits::kStoreCheckInterval - std::chrono::milliseconds(1));
  FlushAtLast();
  EXPECT_EQ(claims_, before);
  EXPECT_TRUE(Stored().empty());
  rig_.clock.Advance(std::chrono::milliseconds(1));
  FlushAtLast();
  EXPECT_GE(claims_, before + static_cast<int>(limits::kShards));
  ExpectAllWell();
}

class RandomRepairTest : public RepairTest {
 protected:
  RandomRepairTest()
      : RepairTest({.apply =
                        [](const Part&) {
                          if (random_() % 12 != 0) return Fate();
                          return Fate{.kind = random_() % 2 == 0 ? Fate::Kind::kLoseCommand : Fate::Kind::kLoseReply};
                        },
                    .claim =
                        [](Shard) {
                          if (random_() % 200 != 0) return Fate();
                          return Fate{.kind = random_() % 2 == 0 ? Fate::Kind::kLoseCommand : Fate::Kind::kLoseReply};
                        }}) {}

  inline static std::mt19937_64 random_{TestSeed()};
};

TEST_F(RandomRepairTest, WhateverTheStoreForgetsAndWhoeverDiesNoViewIsLostOrCountedTwice) {
  const auto roll = [&](uint64_t sides) { return random_() % sides; };
  std::vector<std::string> ids;
  for (const uint8_t shard : {3, 4}) {
    const auto of_shard = IdsIn(Shard{shard}, 1'300);
    ids.insert(ids.end(), of_shard.begin(), of_shard.end());
  }
  for (int i = 0; i < 200; ++i) ids.push_back("/other/" + std::to_string(i));
  for (int step = 0; step < 150; ++step) {
    const size_t begin = roll(ids.size());
    const size_t end = begin + 1 + roll(ids.size() - begin);
    ASSERT_NO_FATAL_FAILURE(Fold({ids.begin() + begin, ids.begin() + end}, static_cast<uint32_t>(1 + roll(3))));
    for (uint64_t tries = roll(4); tries > 0; --tries) (void)Flush();
    for (uint64_t nodes = roll(3) == 0 ? 1 + roll(64) : 0; nodes > 0; --nodes) {
      const auto node = static_cast<uint32_t>(roll(limits::kShards));
      store_.Rollback(node, roll(1 + store_.history(node)));
    }
    if (roll(12) == 0) {
      ASSERT_NO_FATAL_FAILURE(Restart());
    }
    ASSERT_TRUE(fenced_.ok()) << fenced_;
  }
  ASSERT_NO_FATAL_FAILURE(FlushAtLast());
  // A restart of the store makes the flusher audit all shards.
  store_.Restart();
  ASSERT_NO_FATAL_FAILURE(FlushAtLast());
  ExpectAllWell();
}

}  // namespace
}  // namespace viewcount
