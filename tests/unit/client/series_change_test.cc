// Tests the changes and the lines that show series in a terminal.
#include "client/cli/series_change.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cli/bar.h"

namespace viewcount::cli {
namespace {

using google::protobuf::util::TimeUtil;

TEST(SeriesChange, IsInPercentWhereSomethingWasBefore) {
  EXPECT_EQ(ChangeText(150, 100, true), "+50.0 %");
  EXPECT_EQ(ChangeText(1, 3, false), "-66.7");
  EXPECT_EQ(ChangeText(7, 7, true), "+0.0 %");
  EXPECT_EQ(ChangeText(0, 7, true), "-100.0 %");
  EXPECT_EQ(ChangeText(7, 0, true), "");
}

TEST(SeriesChange, APointIsFinishedAtItsEnd) {
  const auto finished = [](const char* day, v1::SeriesStep step, int64_t after_s) {
    v1::SeriesPoint point;
    point.mutable_start()->set_seconds(1'000'000);
    point.set_day(day);
    return IsFinished(point, step, TimeUtil::SecondsToTimestamp(1'000'000 + after_s));
  };
  EXPECT_FALSE(finished("", v1::SERIES_STEP_HOUR, 3'599));
  EXPECT_TRUE(finished("", v1::SERIES_STEP_HOUR, 3'600));
  EXPECT_FALSE(finished("2026-11-30", v1::SERIES_STEP_DAY, 86'399));
  EXPECT_TRUE(finished("2026-11-30", v1::SERIES_STEP_UNSPECIFIED, 86'400));
  EXPECT_FALSE(finished("2026-11-30", v1::SERIES_STEP_WEEK, 7 * 86'400 - 1));
  EXPECT_TRUE(finished("2026-11-30", v1::SERIES_STEP_WEEK, 7 * 86'400));
  EXPECT_FALSE(finished("2024-02-01", v1::SERIES_STEP_MONTH, 29 * 86'400 - 1));
  EXPECT_TRUE(finished("2024-02-01", v1::SERIES_STEP_MONTH, 29 * 86'400));
}

TEST(Sparkline, HasAHeightForEachNumber) {
  EXPECT_EQ(Sparkline({0, 1, 4, 8}, 31), "·▁▄█");
  EXPECT_EQ(Sparkline({0, 0}, 31), "··");
  EXPECT_EQ(Sparkline({}, 31), "");
  // Neighbours are added up.
  EXPECT_EQ(Sparkline({1, 1, 1, 1, 4}, 3), "▄▄█");
  EXPECT_EQ(Sparkline({UINT64_MAX / 4, UINT64_MAX / 8}, 2), "█▄");
}

}  // namespace
}  // namespace viewcount::cli
