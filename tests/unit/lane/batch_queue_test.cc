// Tests the limits of the queue, its order and its end.
#include "service/lane/batch_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

using PutResult = BatchQueue::PutResult;

TEST(BatchQueue, GivesOutInOrder) {
  BatchQueue queue;
  TestBatch first({"a"});
  TestBatch second({"b", "c"}, 50);
  const auto site = std::make_shared<const Site>(*MakeSite("demo", {}));
  EXPECT_EQ(queue.Put(&first), PutResult::kTaken);
  queue.Put(site);
  EXPECT_EQ(queue.Put(&second), PutResult::kTaken);
  EXPECT_EQ(queue.bytes(), 150u);
  std::vector<LaneItem> group;
  ASSERT_TRUE(queue.Take(group));
  ASSERT_EQ(group.size(), 3u);
  EXPECT_EQ(group[0].batch, &first);
  EXPECT_EQ(group[1].batch, nullptr);
  EXPECT_EQ(group[1].site, site);
  EXPECT_EQ(group[2].batch, &second);
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(BatchQueue, AGroupIsLimited) {
  BatchQueue queue;
  TestBatch batch({"a"}, limits::kLaneGroupBytesMax / 4 + 1);
  for (int i = 0; i < 8; ++i) ASSERT_EQ(queue.Put(&batch), PutResult::kTaken);
  std::vector<LaneItem> group;
  size_t taken = 0;
  while (taken < 8) {
    ASSERT_TRUE(queue.Take(group));
    EXPECT_LE(group.size(), 3u);
    taken += group.size();
  }
  TestBatch largest({"a"}, limits::kRequestBytesMax);
  ASSERT_EQ(queue.Put(&largest), PutResult::kTaken);
  ASSERT_TRUE(queue.Take(group));
  EXPECT_EQ(group.size(), 1u);
}

TEST(BatchQueue, RefusesBeyondItsBytes) {
  BatchQueue queue;
  TestBatch batch({"a"}, limits::kRequestBytesMax);
  for (size_t i = 0; i < limits::kLaneQueueBytesMax / limits::kRequestBytesMax; ++i) {
    ASSERT_EQ(queue.Put(&batch), PutResult::kTaken);
  }
  TestBatch one_more({"a"}, 1);
  EXPECT_EQ(queue.Put(&one_more), PutResult::kFull);
  EXPECT_EQ(queue.bytes(), limits::kLaneQueueBytesMax);
  std::vector<LaneItem> group;
  ASSERT_TRUE(queue.Take(group));
  EXPECT_EQ(queue.Put(&one_more), PutResult::kTaken);
}

TEST(BatchQueue, RefusesBeyondItsBatchesButNoSettings) {
  BatchQueue queue;
  TestBatch batch({"a"}, 1);
  for (size_t i = 0; i < limits::kLaneQueueBatchesMax; ++i) ASSERT_EQ(queue.Put(&batch), PutResult::kTaken);
  EXPECT_EQ(queue.Put(&batch), PutResult::kFull);
  queue.Put(std::make_shared<const Site>(*MakeSite("demo", {})));
  std::vector<LaneItem> group;
  ASSERT_TRUE(queue.Take(group));
  EXPECT_NE(group.back().site, nullptr);
}

TEST(BatchQueue, AClosedOneIsEmptiedThenEnds) {
  BatchQueue queue;
  TestBatch batch({"a"});
  ASSERT_EQ(queue.Put(&batch), PutResult::kTaken);
  queue.Close();
  EXPECT_EQ(queue.Put(&batch), PutResult::kClosed);
  std::vector<LaneItem> group;
  EXPECT_TRUE(queue.Take(group));
  EXPECT_EQ(group.size(), 1u);
  EXPECT_FALSE(queue.Take(group));
  EXPECT_TRUE(group.empty());
}

TEST(BatchQueue, TakingWithoutWaitingGivesWhatIsThere) {
  BatchQueue queue;
  std::vector<LaneItem> group;
  EXPECT_FALSE(queue.TryTake(group));
  TestBatch batch({"a"}, 30);
  ASSERT_EQ(queue.Put(&batch), PutResult::kTaken);
  ASSERT_TRUE(queue.TryTake(group));
  ASSERT_EQ(group.size(), 1u);
  EXPECT_EQ(group[0].batch, &batch);
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_FALSE(queue.TryTake(group));
  EXPECT_TRUE(group.empty());
}

TEST(BatchQueue, ClosingWakesWhoWaits) {
  BatchQueue queue;
  std::vector<LaneItem> group;
  bool took = true;
  std::thread waiter([&] { took = queue.Take(group); });
  queue.Close();
  waiter.join();
  EXPECT_FALSE(took);
}

TEST(BatchQueue, EveryBatchOfManyThreadsComesOutOnceAndInItsThreadsOrder) {
  constexpr int kThreads = 3;
  constexpr int kEach = 5'000;
  BatchQueue queue;
  std::vector<std::unique_ptr<TestBatch>> batches;
  for (int i = 0; i < kThreads * kEach; ++i) {
    batches.push_back(std::make_unique<TestBatch>(std::vector<std::string>{"a"}, 10));
    batches.back()->request.sequence = static_cast<uint64_t>(i);
  }
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        while (queue.Put(batches[thread * kEach + i].get()) != PutResult::kTaken) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kThreads, 0);
  std::vector<LaneItem> group;
  for (int taken = 0; taken < kThreads * kEach; taken += static_cast<int>(group.size())) {
    ASSERT_TRUE(queue.Take(group));
    for (const LaneItem& item : group) {
      const auto number = static_cast<int>(item.batch->request.sequence);
      ASSERT_EQ(number % kEach, next[number / kEach]++);
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace viewcount
