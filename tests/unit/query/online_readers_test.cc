// Tests who counts as online by a stream.
#include "service/query/online_readers.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "service/base/status.h"
#include "service/query/site_stats_reader.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds, std::chrono::minutes, std::chrono::seconds;

class OnlineReadersTest : public ::testing::Test {
 protected:
  OnlineReadersTest() {
    EXPECT_TRUE(pipeline_.Open().ok());
    clock_.SetWallError(milliseconds(SystemClock().UnixMillis() - clock_.UnixMillis()));
  }

  OnlineReaders::Stay Enter(uint64_t viewer) { return online_.Enter(pipeline_.site(), viewer); }
  void Note() { EXPECT_TRUE(pipeline_.Await(online_.Note()).ok()); }
  uint64_t OnlineNow() { return pipeline_.Await(stats_.Read(pipeline_.site()))->online_now; }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {}};
  ManualClock clock_;
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  SiteStatsReader stats_{pipeline_.store(), totals_, clock_};
  OnlineReaders online_{pipeline_.executor(), pipeline_.store(), clock_};
};

TEST_F(OnlineReadersTest, AViewerIsOnlineWhileAStreamIsOpen) {
  Note();
  EXPECT_EQ(OnlineNow(), 0u);
  {
    const auto first = Enter(1), second = Enter(2), unknown = Enter(0);
    for (int minute = 0; minute < 8; ++minute) {
      Note();
      EXPECT_EQ(OnlineNow(), 2u) << minute;
      clock_.Advance(limits::kOnlineNoteInterval);
    }
  }
  Note();
  EXPECT_EQ(OnlineNow(), 2u) << "seen a minute ago";
  clock_.Advance(limits::kOnlineSpan);
  EXPECT_EQ(OnlineNow(), 0u);
}

TEST_F(OnlineReadersTest, AViewerWithAViewAndTwoStreamsIsOne) {
  pipeline_.Fold({{.article_id = "a", .viewer = 7, .event_time_unix_ms = clock_.UnixMillis()}});
  ASSERT_TRUE(pipeline_.Flush().ok());
  auto first = Enter(7);
  auto second = Enter(7);
  Note();
  EXPECT_EQ(OnlineNow(), 1u);
  clock_.Advance(minutes(6));
  first = {};
  Note();
  EXPECT_EQ(OnlineNow(), 1u) << "the other stream is still open";
  clock_.Advance(minutes(6));
  const auto moved = std::move(second);
  second = {};
  Note();
  EXPECT_EQ(OnlineNow(), 1u) << "the stay was moved";
}

TEST_F(OnlineReadersTest, StaysBeginAndEndInAnyThread) {
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint64_t i = 1; i <= 1'000; ++i) {
        const auto stay = Enter(i);
        const auto own = Enter(10'000 * (thread + 1) + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto last = Enter(3);
  Note();
  EXPECT_EQ(OnlineNow(), 1u);
}

TEST_F(OnlineReadersTest, AnAbsentStoreIsReported) {
  const auto stay = Enter(1);
  redis_.Kill();
  const auto status = pipeline_.Await(online_.Note());
  EXPECT_TRUE(IsTransient(status)) << status;
}

}  // namespace
}  // namespace viewcount
