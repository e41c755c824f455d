#include "service/visitors/visit_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kNowMs = 1'795'000'000'000;
constexpr VisitorKey kNobody{};

// Passes on a view that is received at the time of its event.
bool Begins(VisitTable& table, VisitorKey viewer, VisitorKey previous, int64_t unix_ms) {
  return table.Begins(viewer, previous, unix_ms, unix_ms);
}

VisitorKey Viewer(uint64_t viewer, uint64_t site = 7) { return {site, viewer}; }

TEST(VisitTableTest, APauseOfMoreThanHalfAnHourEndsAVisit) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + 30 * kMinuteMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + 60 * kMinuteMs));
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs + 90 * kMinuteMs + 1'000));
}

TEST(VisitTableTest, ViewersAndSitesAreToldApart) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_TRUE(Begins(table, Viewer(2), kNobody, kNowMs));
  EXPECT_TRUE(Begins(table, Viewer(1, 8), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(1, 8), kNobody, kNowMs));
}

TEST(VisitTableTest, AVisitGoesOnUnderANewName) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(2), Viewer(1), kNowMs + 20 * kMinuteMs));
  EXPECT_FALSE(Begins(table, Viewer(2), kNobody, kNowMs + 45 * kMinuteMs));
  EXPECT_TRUE(Begins(table, Viewer(3), Viewer(1), kNowMs + 45 * kMinuteMs));
}

TEST(VisitTableTest, AViewThatComesLateBelongsToTheVisitItWasIn) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs - 10 * kMinuteMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + 25 * kMinuteMs));
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs - 6 * 60 * kMinuteMs));
}

TEST(VisitTableTest, ABacklogHasItsVisitsToo) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  int visits = 0;
  for (int i = 0; i < 10; ++i) {
    visits += table.Begins(Viewer(1), kNobody, kNowMs - (1'440 - i) * kMinuteMs, kNowMs + i) ? 1 : 0;
    EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + i * kMinuteMs)) << "and leaves the present one alone";
  }
  EXPECT_EQ(visits, 1);
}

// This happens when a clock was ahead and is then corrected.
TEST(VisitTableTest, AfterAViewFromTheFutureVisitsGoOn) {
  VisitTable table;
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs + 120 * kMinuteMs));
  EXPECT_TRUE(Begins(table, Viewer(1), kNobody, kNowMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + kMinuteMs));
  EXPECT_FALSE(Begins(table, Viewer(1), kNobody, kNowMs + 20 * kMinuteMs));
}

// Compares the table with a model that keeps everything.
TEST(VisitTableTest, NothingThatMattersIsForgotten) {
  std::mt19937_64 random(TestSeed());
  VisitTable table;
  std::map<uint64_t, int64_t> seen;
  int64_t now = kNowMs;
  for (int i = 0; i < 200'000; ++i) {
    now += static_cast<int64_t>(random() % 200);
    const uint64_t viewer = 1 + random() % (1 + random() % 20'000);
    const auto last = seen.find(viewer);
    // The model counts in whole seconds, as the table does.
    const bool begins = last == seen.end() || now / 1'000 - last->second / 1'000 > 1'800;
    ASSERT_EQ(Begins(table, Viewer(viewer), kNobody, now), begins) << i;
    seen[viewer] = now;
  }
}

TEST(VisitTableTest, ViewersOfLongAgoTakeNoMemory) {
  VisitTable table;
  for (uint64_t viewer = 1; viewer <= 100'000; ++viewer) {
    Begins(table, Viewer(viewer), kNobody, kNowMs + static_cast<int64_t>(viewer) * kMinuteMs / 10);
  }
  // There are ten viewers a minute for an hour.
  EXPECT_LE(table.size(), 630u);
}

TEST(VisitTableTest, MoreViewersThanItMayHoldAreNotHeld) {
  VisitTable table(1'000);
  for (uint64_t viewer = 1; viewer <= 10'000; ++viewer) Begins(table, Viewer(viewer), kNobody, kNowMs);
  EXPECT_LE(table.size(), 1'000u);
  EXPECT_FALSE(Begins(table, Viewer(10'000), kNobody, kNowMs));
}

TEST(VisitTableTest, ACheckpointKeepsWhoseVisitGoesOn) {
  VisitTable table;
  Begins(table, Viewer(1), kNobody, kNowMs - 40 * kMinuteMs);
  for (uint64_t viewer = 2; viewer < 100; ++viewer) Begins(table, Viewer(viewer), kNobody, kNowMs);
  VisitTable read;
  ASSERT_TRUE(read.Merge(table.Serialize()).ok());
  EXPECT_EQ(read.size(), 98u);
  EXPECT_TRUE(Begins(read, Viewer(1), kNobody, kNowMs));
  for (uint64_t viewer = 2; viewer < 100; ++viewer)
    EXPECT_FALSE(Begins(read, Viewer(viewer), kNobody, kNowMs + 10 * kMinuteMs)) << viewer;
  EXPECT_TRUE(absl::IsDataLoss(read.Merge(std::string(13, 'x'))));
}

}  // namespace
}  // namespace viewcount
