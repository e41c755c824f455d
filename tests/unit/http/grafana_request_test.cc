#include "service/http/grafana_request.h"

#include <gtest/gtest.h>

#include "service/http/grafana_limits.h"
#include "service/sites/retention.h"
#include "service/sites/site.h"

namespace viewcount {
namespace {

// 2026-11-30T10:20:00Z, which is 17:20 in Viet Nam.
constexpr int64_t kNow = 1'796'034'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMidnight = kNow - 17 * kHour - 20 * 60'000;

Site Portal() { return *MakeSite("portal", {"Asia/Ho_Chi_Minh"}); }

GrafanaSpan Series(int64_t start, int64_t end, int64_t points = 1'000, std::optional<v1::SeriesStep> step = {}) {
  return GrafanaSeriesSpan({start, end}, points, step, Portal(), kNow);
}

TEST(GrafanaSpan, ShortRangesAreHoursAndLongOnesAreDays) {
  const auto hours = Series(kNow - 6 * kHour, kNow);
  EXPECT_EQ(hours.step, v1::SERIES_STEP_HOUR);
  EXPECT_EQ(hours.span.start_unix_ms, kNow - 6 * kHour - 20 * 60'000);
  EXPECT_EQ(hours.span.end_unix_ms, kNow + 40 * 60'000);
  EXPECT_EQ(Series(kNow - 6 * kHour, kNow, 7).step, v1::SERIES_STEP_HOUR);
  const auto small = Series(kNow - 6 * kHour, kNow, 6);
  EXPECT_EQ(small.step, v1::SERIES_STEP_DAY);
  EXPECT_EQ(small.span.start_unix_ms, kMidnight);
  EXPECT_EQ(small.span.end_unix_ms, kMidnight + kDay);
  EXPECT_EQ(Series(kNow - 191 * kHour, kNow).step, v1::SERIES_STEP_HOUR);
  EXPECT_EQ(Series(kNow - 192 * kHour, kNow).step, v1::SERIES_STEP_DAY) << "the first hour is not kept any more";
  EXPECT_EQ(Series(kNow - 90 * kDay, kNow, 90).step, v1::SERIES_STEP_WEEK);
  EXPECT_EQ(Series(kNow - 90 * kDay, kNow, 5).step, v1::SERIES_STEP_MONTH);
}

TEST(GrafanaSpan, ASeriesHasNoMoreDaysThanMayBeAskedFor) {
  for (const auto step : {v1::SERIES_STEP_DAY, v1::SERIES_STEP_WEEK, v1::SERIES_STEP_MONTH}) {
    const auto span = Series(0, 253'402'300'799'999, 1, step).span;
    EXPECT_LE(span.end_unix_ms - span.start_unix_ms, kGrafanaSeriesDaysMax * kDay) << step;
    EXPECT_GT(span.end_unix_ms - span.start_unix_ms, (kGrafanaSeriesDaysMax - 31) * kDay) << step;
  }
  const auto hours = Series(0, 253'402'300'799'999, 1, v1::SERIES_STEP_HOUR).span;
  EXPECT_EQ(hours.start_unix_ms, FirstKeptHour(SiteSettings{"UTC"}, kNow));
  const auto old = Series(0, kDay, 100, v1::SERIES_STEP_HOUR).span;
  EXPECT_EQ(old.start_unix_ms, old.end_unix_ms) << "none of them is kept";
  const auto future = Series(kNow + 1, kNow + kDay).span;
  EXPECT_EQ(future.start_unix_ms, future.end_unix_ms);
  const auto moment = Series(kNow, kNow);
  EXPECT_EQ(moment.span.end_unix_ms - moment.span.start_unix_ms, kHour);
}

TEST(GrafanaSpan, NothingBeginsBefore1970) {
  const auto portal = Portal();
  EXPECT_EQ(GrafanaTopSpan({0, kDay}, portal, kNow).start_unix_ms, 16 * kHour) << "Saigon was 8 hours ahead";
  for (const char* zone : {"Asia/Ho_Chi_Minh", "America/New_York", "UTC"}) {
    const auto site = *MakeSite("portal", {zone});
    for (const auto step : {v1::SERIES_STEP_DAY, v1::SERIES_STEP_WEEK, v1::SERIES_STEP_MONTH}) {
      const auto span = GrafanaSeriesSpan({0, 90 * kDay}, 1'000, step, site, kNow).span;
      EXPECT_GE(span.start_unix_ms, 0) << zone;
      EXPECT_LT(span.start_unix_ms, span.end_unix_ms) << zone;
    }
    const auto empty = GrafanaSeriesSpan({0, 1}, 1'000, v1::SERIES_STEP_MONTH, site, kNow).span;
    EXPECT_TRUE(empty.start_unix_ms >= 0 || empty.start_unix_ms >= empty.end_unix_ms) << zone;
  }
}

TEST(GrafanaSpan, AListIsMadeOfHoursOrOfDays) {
  const auto top = [](int64_t start, int64_t end) { return GrafanaTopSpan({start, end}, Portal(), kNow); };
  EXPECT_EQ(top(kNow - 2 * kHour, kNow).start_unix_ms, kNow - 2 * kHour - 20 * 60'000);
  EXPECT_EQ(top(kNow - 20 * kDay, kNow).start_unix_ms, kMidnight - 20 * kDay);
  EXPECT_EQ(top(kNow - 20 * kDay, kNow).end_unix_ms, kMidnight + kDay);
  EXPECT_EQ(top(0, kNow).start_unix_ms, kMidnight + kDay - kGrafanaTopDaysMax * kDay);
  EXPECT_EQ(top(kNow + 1, kNow + 2).end_unix_ms, 0);
}

TEST(GrafanaRequest, PayloadsOfTextsAndOfNumbersAreTheSame) {
  const auto read = [](const std::string& targets) {
    const auto body = ParseGrafanaBody(
        R"({"range":{"from":"2026-11-30T00:00:00.866Z","to":"2026-11-30T01:00:00Z"},"maxDataPoints":"12","targets":)" +
        targets + "}");
    EXPECT_TRUE(body.ok()) << body.status();
    return ReadGrafanaQuery(*body);
  };
  const auto query = read(R"([{"target":"views portal a b"},{"target":"top","payload":{"site":"portal","limit":7}},
      {"target":"top","data":{"site":"portal","limit":"8"}},{"target":"views x","hide":true},{"refId":"C"},
      {"target":"top portal","payload":"","data":null}])");
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->points_max, 12);
  EXPECT_EQ(query->range.end_unix_ms - query->range.start_unix_ms, kHour - 866);
  ASSERT_EQ(query->targets.size(), 4u);
  EXPECT_EQ(query->targets[0].article, "a b");
  EXPECT_EQ(query->targets[1].limit, 7u);
  EXPECT_EQ(query->targets[2].limit, 8u);
  EXPECT_EQ(query->targets[3].limit, kGrafanaTopDefault);
  for (const char* targets :
       {R"([{"target":"views"}])", R"([{"target":"top portal x"}])", R"([{"target":"a"}])",
        R"([{"target":"top portal","data":{"limit":0}}])", R"([{"target":"top portal","data":{"limit":1.5}}])",
        R"([{"target":"top portal","data":{"limit":"NaN"}}])", "[1]", "3"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(read(targets).status())) << targets;
  }
}

}  // namespace
}  // namespace viewcount
