// Tests that the store in memory can be rolled back as a restored Redis is.
#include "tests/support/memory_store.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"
#include "tests/unit/store/random_parts.h"
#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

class MemoryStoreTest : public ::testing::Test {
 protected:
  explicit MemoryStoreTest(uint32_t nodes = 1) : rig_(nodes) {}

  // Makes one write that changes the store.
  void Write(Shard shard) {
    if (!rig_.Await(rig_.store().ReadLane(shard, lane_.id))->entry || parts_.Below(20) == 0) {
      lane_.earlier.push_back(lane_.incarnation);
      ASSERT_TRUE(rig_.Await(rig_.store().Claim(shard, lane_)).ok());
      return;
    }
    if (parts_.Below(20) == 0) {
      const std::vector<LaneId> ids = {lane_.id};
      ASSERT_TRUE(rig_.Await(rig_.store().RemoveLanes(shard, ids)).ok());
      return;
    }
    Part part = parts_.AnyPart();
    part.shard = shard;
    part.lane = lane_.id;
    part.incarnation = lane_.incarnation;
    part.expected = rig_.Await(rig_.store().ReadLane(shard, lane_.id))->entry->cursor;
    part.next = Cursor::End(Position{part.expected.to().value + 1});
    ASSERT_TRUE(rig_.Await(rig_.store().Apply(part))->applied);
  }
  std::string Content() { return ContentOf(rig_, {lane_.id}); }

  MemoryRig rig_;
  RandomParts parts_{TestSeed()};
  LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
};

class TwoNodesTest : public MemoryStoreTest {
 protected:
  TwoNodesTest() : MemoryStoreTest(2) {}
};

TEST_F(MemoryStoreTest, RollbackRestoresEveryEarlierState) {
  std::vector<std::string> states = {Content()};
  for (int step = 0; step < 600; ++step) {
    if (parts_.Below(10) == 0) {
      const size_t back = parts_.Below(states.size());
      ASSERT_EQ(rig_.store().Rollback(0, back), back);
      states.resize(states.size() - back);
    } else {
      ASSERT_NO_FATAL_FAILURE(Write(parts_.AnyShard()));
      states.push_back(Content());
    }
    ASSERT_EQ(Content(), states.back()) << "step " << step;
  }
}

TEST_F(MemoryStoreTest, HistoryHasALimit) {
  for (int i = 0; i < 1'500; ++i) ASSERT_NO_FATAL_FAILURE(Write(Shard{0}));
  EXPECT_EQ(rig_.store().history(0), 1'000u);
  EXPECT_EQ(rig_.store().Rollback(0, 5'000), 1'000u);
  EXPECT_EQ(rig_.store().history(0), 0u);
}

TEST_F(MemoryStoreTest, ConnectionsAreNewAfterARollbackOrRestart) {
  const uint64_t generation = rig_.store().generation();
  rig_.store().Restart();
  EXPECT_EQ(rig_.store().generation(), generation + 1);
  rig_.store().Rollback(0, 0);
  EXPECT_EQ(rig_.store().generation(), generation + 2);
}

TEST_F(TwoNodesTest, ANodeGoesBackAlone) {
  ASSERT_NO_FATAL_FAILURE(Write(Shard{0}));
  const std::string before = Content();
  ASSERT_NO_FATAL_FAILURE(Write(Shard{1}));
  const std::string between = Content();
  ASSERT_NO_FATAL_FAILURE(Write(Shard{0}));
  EXPECT_EQ(rig_.store().Rollback(0, 1), 1u);
  EXPECT_EQ(Content(), between);
  EXPECT_EQ(rig_.store().Rollback(1, 1), 1u);
  EXPECT_EQ(Content(), before);
}

}  // namespace
}  // namespace viewcount
