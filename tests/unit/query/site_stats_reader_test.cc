// Tests a site's totals over its own calendar, and the total that is kept between two reads of the store.
#include "service/query/site_stats_reader.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

using std::chrono::hours, std::chrono::milliseconds, std::chrono::minutes;

constexpr int64_t kHourMs = 3'600'000;
// 2026-11-22T17:00Z is midnight in Hanoi, between a Sunday and a Monday. The clock begins five hours later.
constexpr int64_t kMondayMs = int64_t{498'713} * kHourMs;

class SiteStatsReaderTest : public ::testing::Test {
 protected:
  SiteStatsReaderTest() { EXPECT_TRUE(pipeline_.Open().ok()); }

  void Fold(int64_t unix_ms, uint32_t count) {
    // The articles belong to different shards. Bots' views are not counted as views.
    const std::string id = std::to_string(count);
    pipeline_.Fold({{.article_id = id, .event_time_unix_ms = unix_ms, .count = count},
                    {.article_id = "bot", .event_time_unix_ms = unix_ms, .count = 1'000, .bot = true}});
  }
  // Returns the text "in all, today, yesterday, this week, this month".
  std::string Stats() {
    const auto stats = pipeline_.Await(reader_.Read(pipeline_.site()));
    EXPECT_TRUE(stats.ok()) << stats.status();
    if (!stats.ok()) return "";
    EXPECT_EQ(stats->as_of_unix_ms, clock_.UnixMillis());
    std::string text;
    return TextOf(stats->views);
  }
  static std::string TextOf(const SiteStats::Totals& totals) {
    std::string text;
    for (const uint64_t number : {totals.total, totals.today, totals.yesterday, totals.this_week, totals.this_month}) {
      text += (text.empty() ? "" : " ") + std::to_string(number);
    }
    return text;
  }
  void FoldBy(uint64_t viewer, int64_t unix_ms, bool bot = false) {
    pipeline_.Fold({{.article_id = "a", .viewer = viewer, .event_time_unix_ms = unix_ms, .bot = bot}});
  }
  absl::StatusOr<SiteTotal> Total() { return pipeline_.Await(reader_.ReadTotal(pipeline_.site())); }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {.time_zone = "Asia/Ho_Chi_Minh"}};
  ManualClock clock_;
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  SiteStatsReader reader_{pipeline_.store(), totals_, clock_};
};

TEST_F(SiteStatsReaderTest, DaysBeginAtTheSitesMidnight) {
  EXPECT_EQ(Stats(), "0 0 0 0 0");
  Fold(kMondayMs - 1, 3);
  Fold(kMondayMs, 7);
  EXPECT_EQ(Stats(), "10 7 3 7 10") << "pending";
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_EQ(Stats(), "10 7 3 7 10") << "stored";
  Fold(kMondayMs + 23 * kHourMs, 5);
  EXPECT_EQ(Stats(), "15 12 3 12 15") << "both";
  clock_.Advance(hours(19) - milliseconds(1));
  EXPECT_EQ(Stats(), "15 12 3 12 15");
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Stats(), "15 0 12 12 15");
  Fold(kMondayMs + 24 * kHourMs, 2);
  EXPECT_EQ(Stats(), "17 2 12 14 17");
  clock_.Advance(hours(24));
  EXPECT_EQ(Stats(), "17 0 2 14 17");
}

TEST_F(SiteStatsReaderTest, WeeksBeginOnMondayAndMonthsOnTheFirst) {
  // The clock moves from Monday the 23rd to Monday the 30th, the last day of the month, and to Tuesday the first.
  constexpr int64_t kSundayMs = kMondayMs + 6 * 24 * kHourMs;
  Fold(kMondayMs - 31 * 24 * kHourMs, 100);
  Fold(kSundayMs, 1);
  Fold(kSundayMs + 24 * kHourMs, 20);
  Fold(kSundayMs + 48 * kHourMs, 300);
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(hours(6 * 24));
    EXPECT_EQ(Stats(), "421 1 0 1 1") << "Sunday";
    clock_.Advance(hours(24));
    EXPECT_EQ(Stats(), "421 20 1 20 21") << "Monday";
    clock_.Advance(hours(24));
    EXPECT_EQ(Stats(), "421 300 20 320 300") << "the first of December";
    clock_.SetWallError(hours(-8 * 24));
    ASSERT_TRUE(pipeline_.Flush().ok());
  }
}

TEST_F(SiteStatsReaderTest, QuestionsThatShareAReadContainWhatCameBeforeThem) {
  std::vector<std::future<absl::StatusOr<SiteStats>>> answers;
  const auto ask = [&] { answers.push_back(pipeline_.Spawn(reader_.Read(pipeline_.site()))); };
  for (uint64_t i = 1; i <= 50; ++i) {
    ask();
    Fold(kMondayMs, 2);
    ask();
    if (i % 10 == 0) {
      ASSERT_TRUE(pipeline_.Flush().ok());
    }
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto stats = answers[i].get();
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_GE(stats->views.total, (i + 1) / 2 * 2);
    EXPECT_LE(stats->views.total, 100u);
    EXPECT_EQ(stats->views.today, stats->views.total);
  }
}

TEST_F(SiteStatsReaderTest, VisitsCountOnTheDayTheyBeganAndViewersOnEach) {
  constexpr int64_t kMinuteMs = 60'000;
  // The views are by a viewer who stays past midnight, a viewer who comes twice, a bot, and an unknown viewer.
  FoldBy(1, kMondayMs - 20 * kMinuteMs);
  FoldBy(1, kMondayMs + 5 * kMinuteMs);
  FoldBy(2, kMondayMs + 10 * kMinuteMs);
  FoldBy(2, kMondayMs + 40 * kMinuteMs);
  FoldBy(2, kMondayMs + 71 * kMinuteMs);
  FoldBy(3, kMondayMs, true);
  FoldBy(0, kMondayMs);
  for (const bool flushed : {false, true}) {
    if (flushed) {
      ASSERT_TRUE(pipeline_.Flush().ok());
    }
    const auto stats = pipeline_.Await(reader_.Read(pipeline_.site()));
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(TextOf(stats->visits), "3 2 1 2 3");
    EXPECT_EQ(TextOf(stats->viewers), flushed ? "2 2 1 2 2" : "0 0 0 0 0");
  }
}

TEST_F(SiteStatsReaderTest, OnlineIsWhoWasSeenWithinFiveMinutes) {
  const auto age = [](std::chrono::seconds seconds) { return SystemClock().UnixMillis() - seconds.count() * 1'000; };
  clock_.SetWallError(milliseconds(SystemClock().UnixMillis() - clock_.UnixMillis()));
  FoldBy(1, age(std::chrono::seconds(0)));
  FoldBy(2, age(std::chrono::seconds(280)));
  FoldBy(2, age(std::chrono::seconds(100)));
  FoldBy(3, age(std::chrono::seconds(310)));
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_EQ(pipeline_.Await(reader_.Read(pipeline_.site()))->online_now, 2u);
  clock_.Advance(std::chrono::seconds(210));
  EXPECT_EQ(pipeline_.Await(reader_.Read(pipeline_.site()))->online_now, 1u);
  clock_.Advance(std::chrono::seconds(100));
  EXPECT_EQ(pipeline_.Await(reader_.Read(pipeline_.site()))->online_now, 0u);
}

TEST_F(SiteStatsReaderTest, TheTotalOfASecondAgoAndWhatCameSinceAreTheTotalOfNow) {
  EXPECT_FALSE(reader_.ReadTotalCached(*pipeline_.site()));
  Fold(kMondayMs, 5);
  EXPECT_EQ(Total()->views, 5u);
  Fold(kMondayMs, 2);
  const auto cached = reader_.ReadTotalCached(*pipeline_.site());
  ASSERT_TRUE(cached);
  EXPECT_EQ(cached->views, 7u);
  EXPECT_TRUE(cached->exact);
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_EQ(reader_.ReadTotalCached(*pipeline_.site())->views, 7u) << "not twice";
  Fold(kMondayMs, 2);
  EXPECT_EQ(reader_.ReadTotalCached(*pipeline_.site())->views, 9u);
  clock_.Advance(limits::kCountCacheAge + milliseconds(1));
  EXPECT_FALSE(reader_.ReadTotalCached(*pipeline_.site()));
  EXPECT_EQ(Total()->views, 9u);
}

TEST_F(SiteStatsReaderTest, AnotherWritersViewsAreInTheTotalASecondAfterItsFlush) {
  EXPECT_EQ(Total()->views, 0u);
  LanePipeline other(redis_, {.time_zone = "Asia/Ho_Chi_Minh", .data_set = pipeline_.store().data_set()});
  ASSERT_TRUE(other.Open().ok());
  other.Fold("a", 40);
  ASSERT_TRUE(other.Flush().ok());
  Fold(kMondayMs, 2);
  clock_.Advance(limits::kCountCacheAge + milliseconds(1));
  EXPECT_EQ(Total()->views, 42u);
}

TEST_F(SiteStatsReaderTest, WhileRedisIsAwayTheLastTotalAndStatisticsGrow) {
  Fold(kMondayMs, 5);
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_EQ(Total()->views, 5u);
  EXPECT_EQ(Stats(), "5 5 0 5 5");
  const int64_t read_unix_ms = clock_.UnixMillis();
  redis_.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline_.store().problem().empty(); }));
  clock_.Advance(minutes(1));
  Fold(kMondayMs, 2);
  const auto total = Total();
  ASSERT_TRUE(total.ok()) << total.status();
  EXPECT_EQ(total->views, 7u);
  EXPECT_FALSE(total->exact);
  EXPECT_EQ(total->as_of_unix_ms, read_unix_ms);
  auto stats = pipeline_.Await(reader_.Read(pipeline_.site()));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_FALSE(stats->exact);
  EXPECT_EQ(stats->as_of_unix_ms, read_unix_ms);
  EXPECT_EQ(TextOf(stats->views), "7 7 0 7 7");
  // A day has begun since the last read, and none of its counts could be read.
  clock_.Advance(hours(24));
  Fold(kMondayMs + 24 * kHourMs, 1);
  stats = pipeline_.Await(reader_.Read(pipeline_.site()));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(TextOf(stats->views), "8 1 7 8 8");
  redis_.Start();
  ASSERT_TRUE(Eventually([&] { return Total()->exact; }));
  EXPECT_EQ(Total()->views, 8u);
  EXPECT_EQ(Stats(), "8 1 7 8 8");
}

TEST_F(SiteStatsReaderTest, StatisticsNeverReadAreUnavailableWhileRedisIsAway) {
  redis_.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline_.store().problem().empty(); }));
  const auto stats = pipeline_.Await(reader_.Read(pipeline_.site()));
  EXPECT_TRUE(absl::IsUnavailable(stats.status())) << stats.status();
  EXPECT_TRUE(stats.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo")) << stats.status();
}

TEST_F(SiteStatsReaderTest, ATotalNeverReadIsUnavailableWhileRedisIsAway) {
  redis_.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline_.store().problem().empty(); }));
  const auto total = Total();
  EXPECT_TRUE(absl::IsUnavailable(total.status())) << total.status();
  EXPECT_TRUE(total.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo")) << total.status();
}

}  // namespace
}  // namespace viewcount
