// Tests which batches wait for the store, and for how long.
#include "service/lane/stored_waiters.h"

#include <gtest/gtest.h>

#include <list>

#include "service/base/limits.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

constexpr SteadyTime kStart{std::chrono::hours(1)};
constexpr IngestResult kResult{.accepted_views = 3, .last_sequence = 9, .durability = Durability::kJournaled};

TEST(StoredWaiters, AnswersWhatTheStoreHas) {
  StoredWaiters waiters;
  TestBatch first({"a"}), second({"a"});
  ASSERT_TRUE(waiters.Add(&first, kResult, Position{10}, kStart));
  ASSERT_TRUE(waiters.Add(&second, kResult, Position{20}, kStart));
  waiters.Answer(Position{9}, SteadyTime());
  EXPECT_FALSE(first.answered());
  waiters.Answer(Position{10}, SteadyTime());
  ASSERT_TRUE(first.answered());
  EXPECT_FALSE(second.answered());
  const auto answer = first.Wait();
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.result.durability, Durability::kStored);
  EXPECT_EQ(answer.result.accepted_views, 3u);
  EXPECT_EQ(answer.result.last_sequence, 9u);
}

TEST(StoredWaiters, AnswersAsJournaledAtTheDeadline) {
  StoredWaiters waiters;
  TestBatch first({"a"}), second({"a"});
  ASSERT_TRUE(waiters.Add(&first, kResult, Position{10}, kStart));
  ASSERT_TRUE(waiters.Add(&second, kResult, Position{10}, kStart + std::chrono::seconds(1)));
  waiters.Answer(Position{0}, kStart);
  ASSERT_TRUE(first.answered());
  EXPECT_EQ(first.Wait().result.durability, Durability::kJournaled);
  EXPECT_FALSE(second.answered());
}

TEST(StoredWaiters, AreBounded) {
  StoredWaiters waiters;
  std::list<TestBatch> batches;
  for (size_t i = 0; i < limits::kStoredWaitersMax; ++i) {
    ASSERT_TRUE(waiters.Add(&batches.emplace_back(std::vector<std::string>(), 1), kResult, Position{1}, kStart));
  }
  TestBatch one_more({"a"});
  EXPECT_FALSE(waiters.Add(&one_more, kResult, Position{1}, kStart));
  waiters.Answer(Position{1}, SteadyTime());
  for (const TestBatch& batch : batches) ASSERT_TRUE(batch.answered());
  EXPECT_FALSE(one_more.answered());
  EXPECT_TRUE(waiters.Add(&one_more, kResult, Position{1}, kStart));
}

}  // namespace
}  // namespace viewcount
