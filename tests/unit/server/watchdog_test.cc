#include "service/server/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>

#include "service/base/store_thread.h"
#include "tests/support/eventually.h"
#include "tests/support/log_capture.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The intervals are so short that a test takes less than a second.
constexpr Watchdog::Options kFast{.interval = milliseconds(5), .looks = 10};

TEST(Watchdog, AThreadThatStopsInItsWorkIsStuckUntilItMoves) {
  std::atomic<uint64_t> steps{7};
  std::atomic<uint64_t> others{0};
  LogCapture log;
  {
    Watchdog watchdog(kFast);
    watchdog.Watch("lane 0", [&] { return steps.load(); });
    watchdog.Watch("lane 1", [&] { return others += 2; });
    watchdog.Start();
    ASSERT_TRUE(Eventually([&] { return watchdog.stuck().has_value(); }));
    EXPECT_THAT(*watchdog.stuck(), AllOf(HasSubstr("lane 0 has not moved for"), Not(HasSubstr("lane 1"))));
    // The thread begins another piece of work.
    steps += 2;
    EXPECT_TRUE(Eventually([&] { return !watchdog.stuck().has_value(); }));
  }
  EXPECT_THAT(log.text(), AllOf(HasSubstr("a thread is stuck: lane 0"), HasSubstr("all threads move again")));
}

TEST(Watchdog, AnIdleThreadIsNotStuck) {
  std::atomic<int> looks{0};
  Watchdog watchdog(kFast);
  watchdog.Watch("lane 0", [&] {
    ++looks;
    return uint64_t{8};
  });
  watchdog.Start();
  ASSERT_TRUE(Eventually([&] { return looks > 3 * kFast.looks; }));
  EXPECT_EQ(watchdog.stuck(), std::nullopt);
}

TEST(Watchdog, AThreadThatWorksOnAndOnIsNotStuck) {
  std::atomic<uint64_t> steps{1};
  std::atomic<int> looks{0};
  Watchdog watchdog(kFast);
  watchdog.Watch("lane 0", [&] {
    ++looks;
    // The thread is always working, but on another piece of work at each check.
    return steps += 2;
  });
  watchdog.Start();
  ASSERT_TRUE(Eventually([&] { return looks > 3 * kFast.looks; }));
  EXPECT_EQ(watchdog.stuck(), std::nullopt);
}

TEST(Watchdog, AnExecutorThatRunsNothingIsStuckUntilItDoes) {
  StoreThread thread;
  std::promise<void> gate;
  auto opened = gate.get_future();
  Watchdog watchdog(kFast);
  watchdog.Watch("the store thread", thread.executor());
  watchdog.Start();
  boost::asio::post(thread.executor(), [&] { opened.wait(); });
  ASSERT_TRUE(Eventually([&] { return watchdog.stuck().has_value(); }));
  EXPECT_THAT(*watchdog.stuck(), HasSubstr("the store thread"));
  gate.set_value();
  EXPECT_TRUE(Eventually([&] { return !watchdog.stuck().has_value(); }));
  watchdog.Stop();
  thread.Drain(std::chrono::seconds(10));
}

TEST(Watchdog, NothingIsStuckAfterTheStop) {
  Watchdog watchdog(kFast);
  watchdog.Watch("lane 0", [] { return uint64_t{1}; });
  watchdog.Start();
  ASSERT_TRUE(Eventually([&] { return watchdog.stuck().has_value(); }));
  watchdog.Stop();
  EXPECT_EQ(watchdog.stuck(), std::nullopt);
}

}  // namespace
}  // namespace viewcount
