// Compares what is read right now with a count of the same views by hand, over hours and five minutes.
#include "service/query/recent_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seed.h"
#include "tests/unit/adjustments/make_adjustment.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kOneMinuteMs = 60'000;

class RecentReaderTest : public ::testing::Test {
 protected:
  RecentReaderTest() {
    EXPECT_TRUE(pipeline_.Open().ok());
    // Two minutes after a full hour of the present, so that hours are kept.
    const int64_t present = SystemClock().UnixMillis();
    const int64_t hour = present - present % kMsOfHour;
    clock_.SetWallError(std::chrono::milliseconds(hour + 2 * kOneMinuteMs - clock_.UnixMillis()));
    Refresh();
  }
  int64_t now() const { return clock_.UnixMillis(); }
  void Refresh() { EXPECT_TRUE(pipeline_.Await(Wrapped(recent_.Refresh())).ok()); }
  // Advances the clock in small steps, as the service does.
  void Advance(int64_t minutes) {
    for (int64_t i = 0; i < minutes * 6; ++i) {
      clock_.Advance(std::chrono::seconds(10));
      Refresh();
    }
  }
  void View(const std::string& id, uint32_t count) {
    pipeline_.Fold({{.article_id = id, .event_time_unix_ms = now(), .count = count}});
  }
  std::vector<std::pair<std::string, uint64_t>> Now(int64_t minutes) {
    // A list is used for a second.
    clock_.Advance(std::chrono::milliseconds(1'001));
    const auto list = pipeline_.Await(recent_.Read(pipeline_.site(), minutes * kOneMinuteMs));
    EXPECT_TRUE(list.ok()) << list.status();
    EXPECT_TRUE((*list)->exact);
    last_ = **list;
    std::vector<std::pair<std::string, uint64_t>> articles;
    for (const PopularArticle& article : last_.articles) articles.emplace_back(article.article_id, article.views);
    return articles;
  }
  static boost::asio::awaitable<absl::Status> Wrapped(boost::asio::awaitable<void> work) {
    co_await std::move(work);
    co_return absl::OkStatus();
  }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {}};
  ManualClock clock_;
  PopularReader popular_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}, clock_};
  RecentReader recent_{pipeline_.sites(), pipeline_.store(), popular_, clock_};
  RecentList last_;
};

TEST_F(RecentReaderTest, ViewsSinceTheMarkAreListed) {
  View("a", 5);
  Advance(10);
  View("a", 1);
  View("b", 3);
  EXPECT_THAT(Now(5), ElementsAre(Pair("b", 3), Pair("a", 1)));
  // The time covers at least what was asked for, and says from when.
  EXPECT_LE(last_.span.start_unix_ms, now() - 5 * kOneMinuteMs);
  EXPECT_GT(last_.span.start_unix_ms, now() - 10 * kOneMinuteMs);
  EXPECT_EQ(last_.others_max, 0u);
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_THAT(Now(5), ElementsAre(Pair("b", 3), Pair("a", 1)));
  Advance(10);
  EXPECT_THAT(Now(5), IsEmpty());
}

TEST_F(RecentReaderTest, AFullHourIsKnownWithoutAMark) {
  View("a", 5);
  Advance(20);
  // A process that starts now knows no marks, but the full hour.
  RecentReader fresh(pipeline_.sites(), pipeline_.store(), popular_, clock_);
  const auto list = pipeline_.Await(fresh.Read(pipeline_.site(), 5 * kOneMinuteMs));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ((*list)->span.start_unix_ms % kMsOfHour, 0);
  ASSERT_EQ((*list)->articles.size(), 1u);
  EXPECT_EQ((*list)->articles[0].views, 5u);
}

TEST_F(RecentReaderTest, ViewsOfSeveralHoursAreAddedUp) {
  Advance(50);
  View("a", 1);
  Advance(20);
  View("a", 2);
  View("b", 1);
  EXPECT_THAT(Now(30), ElementsAre(Pair("a", 3), Pair("b", 1)));
  EXPECT_THAT(Now(15), ElementsAre(Pair("a", 2), Pair("b", 1)));
}

TEST_F(RecentReaderTest, RandomViewsAreWhatWasCounted) {
  std::mt19937_64 random(TestSeed());
  struct Taken {
    std::string id;
    int64_t time = 0;
    uint32_t count = 0;
  };
  std::vector<Taken> taken;
  for (int round = 0; round < 60; ++round) {
    for (size_t i = 0; i < random() % 20; ++i) {
      const std::string id = "/" + std::to_string(random() % 30);
      const auto count = static_cast<uint32_t>(1 + random() % 4);
      View(id, count);
      taken.push_back({id, now(), count});
    }
    if (random() % 4 == 0) {
      ASSERT_TRUE(pipeline_.Flush().ok());
    }
    // Cached lists of other instances' views are up to a second old; those of this process never are.
    Advance(static_cast<int64_t>(1 + random() % 7));
    const auto minutes = static_cast<int64_t>(5 * (1 + random() % 12));
    const auto listed = Now(minutes);
    std::map<std::string, uint64_t> expected;
    for (const Taken& view : taken) {
      if (view.time >= last_.span.start_unix_ms) expected[view.id] += view.count;
    }
    const std::map<std::string, uint64_t> shown(listed.begin(), listed.end());
    ASSERT_EQ(shown, expected) << minutes << " minutes, round " << round;
    ASSERT_TRUE(std::is_sorted(listed.begin(), listed.end(), [](const auto& one, const auto& other) {
      return one.second != other.second ? one.second > other.second : one.first < other.first;
    }));
  }
}

}  // namespace
}  // namespace viewcount
