#include "service/visitors/cool_down_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

using std::chrono::minutes, std::chrono::seconds;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kNowMs = 1'795'000'000'000;
constexpr uint64_t kArticle = 0x1234'5678'9abc'def0;

// Passes on a view that is received at the time of its event.
bool TryCountView(CoolDownTable& table, uint64_t article, uint64_t viewer, int64_t unix_ms, seconds cool_down) {
  return table.TryCountView(article, viewer, 0, unix_ms, unix_ms, cool_down);
}

TEST(CoolDownTableTest, AViewCountsAgainWhenTheWholeCoolDownHasPassed) {
  CoolDownTable table;
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs, minutes(5)));
  EXPECT_FALSE(TryCountView(table, kArticle, 1, kNowMs + 5 * kMinuteMs - 1'000, minutes(5)));
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs + 5 * kMinuteMs, minutes(5)));
  EXPECT_FALSE(TryCountView(table, kArticle, 1, kNowMs + 6 * kMinuteMs, minutes(5)));
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs + 6 * kMinuteMs, seconds(30)))
      << "the site has a shorter one now";
}

TEST(CoolDownTableTest, OneThatComesLateIsTooSoonAsWell) {
  CoolDownTable table;
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs, minutes(5)));
  EXPECT_FALSE(TryCountView(table, kArticle, 1, kNowMs - 4 * kMinuteMs, minutes(5)));
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs - 5 * kMinuteMs, minutes(5)));
}

TEST(CoolDownTableTest, ABacklogHasItsCoolDownsToo) {
  CoolDownTable table;
  EXPECT_TRUE(TryCountView(table, kArticle, 1, kNowMs, minutes(5)));
  // These views are an hour old and are received now, between others that are not late.
  int counted = 0;
  for (int i = 0; i < 12; ++i) {
    counted += table.TryCountView(kArticle, 1, 0, kNowMs - 60 * kMinuteMs + i * kMinuteMs, kNowMs, minutes(5)) ? 1 : 0;
    EXPECT_FALSE(TryCountView(table, kArticle, 1, kNowMs + i, minutes(5)));
  }
  EXPECT_EQ(counted, 3) << "12 minutes, of which one in five counts";
}

TEST(CoolDownTableTest, AViewFromTheFutureEndsNobodysCoolDown) {
  CoolDownTable table;
  for (uint64_t viewer = 1; viewer <= 100; ++viewer) TryCountView(table, kArticle, viewer, kNowMs, minutes(1));
  EXPECT_TRUE(table.TryCountView(kArticle, 101, 0, kNowMs + 4 * kMinuteMs, kNowMs, minutes(1)));
  EXPECT_TRUE(table.TryCountView(kArticle, 102, 0, int64_t{1} << 50, kNowMs, minutes(1)));
  CoolDownTable read;
  ASSERT_TRUE(read.Merge(table.Serialize()).ok());
  for (uint64_t viewer = 1; viewer <= 100; ++viewer) {
    EXPECT_FALSE(TryCountView(table, kArticle, viewer, kNowMs + 1'000, minutes(1))) << viewer;
    EXPECT_FALSE(TryCountView(read, kArticle, viewer, kNowMs + 1'000, minutes(1))) << viewer;
  }
}

TEST(CoolDownTableTest, WhatIsOverTakesNoMemoryThoughNobodyComes) {
  CoolDownTable table;
  for (uint64_t viewer = 1; viewer <= 100; ++viewer) TryCountView(table, kArticle, viewer, kNowMs, minutes(5));
  table.Forget(kNowMs + 4 * kMinuteMs);
  EXPECT_EQ(table.size(), 100u);
  table.Forget(kNowMs + 5 * kMinuteMs);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_LE(table.bytes(), 1'000u);
}

TEST(CoolDownTableTest, ViewersAndArticlesAreToldApart) {
  CoolDownTable table;
  // The numbers are small and consecutive, as callers may choose them.
  for (uint64_t article = 1; article <= 100; ++article) {
    for (uint64_t viewer = 1; viewer <= 100; ++viewer) {
      ASSERT_TRUE(TryCountView(table, article, viewer, kNowMs, minutes(5))) << article << " " << viewer;
    }
  }
}

TEST(CoolDownTableTest, AConstantViewerCountsOnce) {
  CoolDownTable table;
  int counted = 0;
  for (int i = 0; i < 1'000; ++i)
    counted += TryCountView(table, kArticle, ~uint64_t{0}, kNowMs + i, minutes(5)) ? 1 : 0;
  EXPECT_EQ(counted, 1);
}

// Compares the table with a model that keeps everything, across restarts.
TEST(CoolDownTableTest, NothingThatMattersIsForgotten) {
  std::mt19937_64 random(TestSeed());
  CoolDownTable table;
  std::map<std::pair<uint64_t, uint64_t>, int64_t> counted;
  int64_t now = kNowMs;
  for (int i = 0; i < 200'000; ++i) {
    now += static_cast<int64_t>(random() % 200);
    const uint64_t article = random() % 40;
    // There are two sites, one of which has a longer cool-down.
    const seconds cool_down = article % 2 == 0 ? minutes(7) : minutes(40);
    const uint64_t viewer = 1 + random() % (1 + random() % 500);
    const auto last = counted.find({article, viewer});
    const bool takes = last == counted.end() || now / 1'000 - last->second / 1'000 >= cool_down.count();
    ASSERT_EQ(TryCountView(table, article, viewer, now, cool_down), takes) << i;
    if (takes) counted[{article, viewer}] = now;
    if (i % 20'000 == 0) {
      CoolDownTable read;
      ASSERT_TRUE(read.Merge(table.Serialize()).ok());
      table = std::move(read);
    }
  }
}

TEST(CoolDownTableTest, MorePairsThanItMayHoldAreNotHeld) {
  constexpr size_t kPairs = 1'000'000;
  CoolDownTable table(kPairs);
  for (uint64_t viewer = 1; viewer <= 2 * kPairs; ++viewer) TryCountView(table, kArticle, viewer, kNowMs, minutes(30));
  EXPECT_LE(table.size(), kPairs);
  EXPECT_LE(table.bytes(), 40 * kPairs);
  // The table remembers at least half of the pairs that it may hold.
  for (uint64_t viewer = 2 * kPairs; viewer > 2 * kPairs - kPairs / 2; viewer -= 1'000) {
    ASSERT_FALSE(TryCountView(table, kArticle, viewer, kNowMs, minutes(30))) << viewer;
  }
}

}  // namespace
}  // namespace viewcount
