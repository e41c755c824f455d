// Tests that costly questions of readers take turns.
#include "service/http/reader_turns.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "service/base/status.h"

namespace viewcount {
namespace {

class ReaderTurnsTest : public ::testing::Test {
 protected:
  void Ask() { boost::asio::co_spawn(context_, Question(next_++), boost::asio::detached); }

  boost::asio::awaitable<void> Question(int number) {
    const auto turn = co_await turns_->Take();
    if (!turn.ok()) {
      ++refused_;
      EXPECT_TRUE(absl::IsUnavailable(turn.status()));
      EXPECT_TRUE(RetryDelayOf(turn.status()));
      co_return;
    }
    most_ = std::max(most_, ++running_);
    for (int i = 0; i < 5; ++i) co_await boost::asio::post(context_, boost::asio::use_awaitable);
    --running_;
    order_.push_back(number);
  }

  const std::shared_ptr<ReaderTurns> turns_ = std::make_shared<ReaderTurns>();
  boost::asio::io_context context_;
  int next_ = 0;
  size_t refused_ = 0, running_ = 0, most_ = 0;
  std::vector<int> order_;
};

TEST_F(ReaderTurnsTest, OthersWaitInTheirOrderAndTooManyAreRefused) {
  const size_t taken = kReaderQuestionsMax + kReaderWaitingMax;
  for (size_t i = 0; i < taken + 3; ++i) Ask();
  context_.run();
  EXPECT_EQ(refused_, 3u);
  EXPECT_EQ(most_, kReaderQuestionsMax);
  ASSERT_EQ(order_.size(), taken);
  EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end()));
  Ask();
  context_.restart();
  context_.run();
  EXPECT_EQ(order_.size(), taken + 1);
}

TEST_F(ReaderTurnsTest, AStopMayFindQuestionsThatWait) {
  for (int i = 0; i < 9; ++i) Ask();
  for (int i = 0; i < 15; ++i) context_.run_one();
  EXPECT_EQ(running_, kReaderQuestionsMax);
}

}  // namespace
}  // namespace viewcount
