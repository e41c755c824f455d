#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace viewcount::bench {
namespace {

using Duration = Histogram::Duration;

TEST(Histogram, NothingRecordedIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), Duration(0));
  EXPECT_EQ(histogram.max(), Duration(0));
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(Histogram, SmallDurationsAreExact) {
  Histogram histogram;
  for (int i = 1; i <= 200; ++i) histogram.Record(Duration(i));
  EXPECT_EQ(histogram.Quantile(0.5), Duration(100));
  EXPECT_EQ(histogram.Quantile(0.99), Duration(198));
  EXPECT_EQ(histogram.Quantile(0), Duration(1));
  EXPECT_EQ(histogram.Quantile(1), Duration(200));
}

TEST(Histogram, EveryDurationIsWithinOnePercent) {
  for (int64_t value = 1; value < int64_t{1} << 62; value += value / 3 + 1) {
    Histogram histogram;
    histogram.Record(Duration(value));
    // A longer duration is recorded as well, so that the maximum does not hide the error of the histogram's bucket.
    histogram.Record(Duration::max());
    const auto error = static_cast<double>(std::abs(histogram.Quantile(0.5).count() - value));
    EXPECT_LT(error, 0.01 * static_cast<double>(value)) << value;
  }
}

TEST(Histogram, QuantilesAreThoseOfTheSortedDurations) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<> distribution(12, 2);
  Histogram histogram;
  std::vector<int64_t> values(100'000);
  for (int64_t& value : values) {
    value = static_cast<int64_t>(distribution(random));
    histogram.Record(Duration(value));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(values[static_cast<size_t>(share * static_cast<double>(values.size())) - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.Quantile(share).count()), exact, 0.01 * exact) << share;
  }
  EXPECT_EQ(histogram.max(), Duration(values.back()));
}

TEST(Histogram, DurationsBelowZeroCountAsZero) {
  Histogram histogram;
  histogram.Record(Duration(-5));
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.max(), Duration(0));
}

}  // namespace
}  // namespace viewcount::bench
