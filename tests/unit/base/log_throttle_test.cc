#include "service/base/log_throttle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LogThrottle, FirstLinePassesAndTheNextOnlyAfterTheInterval) {
  LogThrottle lines;
  const SteadyTime start{seconds(5)};
  EXPECT_TRUE(lines.Take(start));
  EXPECT_FALSE(lines.Take(start));
  EXPECT_FALSE(lines.Take(start + kLogRepeatInterval - milliseconds(1)));
  EXPECT_TRUE(lines.Take(start + kLogRepeatInterval));
  EXPECT_FALSE(lines.Take(start + kLogRepeatInterval + milliseconds(1)));
}

TEST(LogThrottle, TheFirstMomentOfAClockIsATimeLikeAnyOther) {
  LogThrottle lines;
  EXPECT_TRUE(lines.Take(SteadyTime()));
  EXPECT_FALSE(lines.Take(SteadyTime() + seconds(1)));
}

TEST(LogThrottle, ResetLetsTheNextLinePassAndTellsWhetherThereWasOne) {
  LogThrottle lines;
  const SteadyTime start{seconds(5)};
  EXPECT_FALSE(lines.Reset());
  EXPECT_TRUE(lines.Take(start));
  EXPECT_TRUE(lines.Reset());
  EXPECT_FALSE(lines.Reset());
  EXPECT_TRUE(lines.Take(start));
}

TEST(LogThrottle, OfManyThreadsOneWritesTheLine) {
  LogThrottle lines;
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1'000; ++j) written += lines.Take(SteadyTime(seconds(5))) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(written, 1);
}

}  // namespace
}  // namespace viewcount
