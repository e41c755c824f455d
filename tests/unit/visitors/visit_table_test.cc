#include "service/visitors/visit_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr int64_t kVisitMinuteMs = 60'000;
constexpr int64_t kVisitNowMs = 1'795'000'000'000;
constexpr VisitorKey kNobody{};

// Passes on a view that is received at the time of its event.
bool RecordView(VisitTable& table, VisitorKey viewer, VisitorKey previous, int64_t unix_ms) {
  return table.RecordView(viewer, previous, unix_ms, unix_ms);
}

VisitorKey Viewer(uint64_t viewer, uint64_t site = 7) { return {site, viewer}; }

TEST(VisitTableTest, APauseOfMoreThanHalfAnHourEndsAVisit) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 30 * kVisitMinuteMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 60 * kVisitMinuteMs));
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 90 * kVisitMinuteMs + 1'000));
}

TEST(VisitTableTest, ViewersAndSitesAreToldApart) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_TRUE(RecordView(table, Viewer(2), kNobody, kVisitNowMs));
  EXPECT_TRUE(RecordView(table, Viewer(1, 8), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(1, 8), kNobody, kVisitNowMs));
}

TEST(VisitTableTest, AVisitGoesOnUnderANewName) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(2), Viewer(1), kVisitNowMs + 20 * kVisitMinuteMs));
  EXPECT_FALSE(RecordView(table, Viewer(2), kNobody, kVisitNowMs + 45 * kVisitMinuteMs));
  EXPECT_TRUE(RecordView(table, Viewer(3), Viewer(1), kVisitNowMs + 45 * kVisitMinuteMs));
}

TEST(VisitTableTest, AViewThatComesLateBelongsToTheVisitItWasIn) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs - 10 * kVisitMinuteMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 25 * kVisitMinuteMs));
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs - 6 * 60 * kVisitMinuteMs));
}

TEST(VisitTableTest, ABacklogHasItsVisitsToo) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  int visits = 0;
  for (int i = 0; i < 10; ++i) {
    visits += table.RecordView(Viewer(1), kNobody, kVisitNowMs - (1'440 - i) * kVisitMinuteMs, kVisitNowMs + i) ? 1 : 0;
    EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + i * kVisitMinuteMs))
        << "and leaves the present one alone";
  }
  EXPECT_EQ(visits, 1);
}

// This happens when a clock was ahead and is then corrected.
TEST(VisitTableTest, AfterAViewFromTheFutureVisitsGoOn) {
  VisitTable table;
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 120 * kVisitMinuteMs));
  EXPECT_TRUE(RecordView(table, Viewer(1), kNobody, kVisitNowMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + kVisitMinuteMs));
  EXPECT_FALSE(RecordView(table, Viewer(1), kNobody, kVisitNowMs + 20 * kVisitMinuteMs));
}

// Compares the table with a model that keeps everything.
TEST(VisitTableTest, NothingThatMattersIsForgotten) {
  std::mt19937_64 random(TestSeed());
  VisitTable table;
  std::map<uint64_t, int64_t> seen;
  int64_t now = kVisitNowMs;
  for (int i = 0; i < 200'000; ++i) {
    now += static_cast<int64_t>(random() % 200);
    const uint64_t viewer = 1 + random() % (1 + random() % 20'000);
    const auto last = seen.find(viewer);
    // The model counts in whole seconds, as the table does.
    const bool begins = last == seen.end() || now / 1'000 - last->second / 1'000 > 1'800;
    ASSERT_EQ(RecordView(table, Viewer(viewer), kNobody, now), begins) << i;
    seen[viewer] = now;
  }
}

TEST(VisitTableTest, ViewersOfLongAgoTakeNoMemory) {
  VisitTable table;
  for (uint64_t viewer = 1; viewer <= 100'000; ++viewer) {
    RecordView(table, Viewer(viewer), kNobody, kVisitNowMs + static_cast<int64_t>(viewer) * kVisitMinuteMs / 10);
  }
  // There are ten viewers a minute for an hour.
  EXPECT_LE(table.size(), 630u);
}

TEST(VisitTableTest, MoreViewersThanItMayHoldAreNotHeld) {
  VisitTable table(1'000);
  for (uint64_t viewer = 1; viewer <= 10'000; ++viewer) RecordView(table, Viewer(viewer), kNobody, kVisitNowMs);
  EXPECT_LE(table.size(), 1'000u);
  EXPECT_FALSE(RecordView(table, Viewer(10'000), kNobody, kVisitNowMs));
}

TEST(VisitTableTest, ACheckpointKeepsWhoseVisitGoesOn) {
  VisitTable table;
  RecordView(table, Viewer(1), kNobody, kVisitNowMs - 40 * kVisitMinuteMs);
  for (uint64_t viewer = 2; viewer < 100; ++viewer) RecordView(table, Viewer(viewer), kNobody, kVisitNowMs);
  VisitTable read;
  ASSERT_TRUE(read.Merge(table.Serialize()).ok());
  EXPECT_EQ(read.size(), 98u);
  EXPECT_TRUE(RecordView(read, Viewer(1), kNobody, kVisitNowMs));
  for (uint64_t viewer = 2; viewer < 100; ++viewer)
    EXPECT_FALSE(RecordView(read, Viewer(viewer), kNobody, kVisitNowMs + 10 * kVisitMinuteMs)) << viewer;
  EXPECT_TRUE(absl::IsDataLoss(read.Merge(std::string(13, 'x'))));
}

}  // namespace
}  // namespace viewcount
