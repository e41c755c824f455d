// Tests which windows the points of a series have, over the site's calendar and changes of clocks.
#include "service/query/series_plan.h"

#include <absl/time/time.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;

constexpr int64_t kMsOfHour = 3'600'000;
constexpr int64_t kMsOfDay = 24 * kMsOfHour;
constexpr char kHanoi[] = "Asia/Ho_Chi_Minh";

int64_t Millis(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return absl::ToUnixMillis(time);
}

v1::GetSeriesRequest Last(int64_t seconds, v1::SeriesStep step) {
  v1::GetSeriesRequest request;
  request.set_step(step);
  request.mutable_window()->mutable_last()->set_seconds(seconds);
  return request;
}
v1::GetSeriesRequest Range(const char* start, const char* end, v1::SeriesStep step) {
  v1::GetSeriesRequest request;
  request.set_step(step);
  *request.mutable_window()->mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(Millis(start));
  *request.mutable_window()->mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(Millis(end));
  return request;
}
v1::GetSeriesRequest Day(const std::string& day, v1::SeriesStep step) {
  v1::GetSeriesRequest request;
  request.set_step(step);
  request.mutable_window()->set_day(day);
  return request;
}

// Returns each point as its start in the site's zone and its windows, such as "2026-11-29T00:00:00 20261129".
std::vector<std::string> Points(const v1::GetSeriesRequest& request, const char* zone, const char* now) {
  const Site site = *MakeSite("demo", {zone});
  const auto plan = PlanSeries(request, site, Millis(now));
  if (!plan.ok()) return {FieldOf(plan.status()) + ": " + std::string(plan.status().message())};
  std::vector<std::string> points;
  size_t at = 0;
  for (const auto& point : plan->points) {
    std::string text = absl::FormatTime("%Y-%m-%dT%H:%M", absl::FromUnixMillis(point.start_unix_ms), site.zone);
    for (size_t i = 0; i < point.windows; ++i) text += fmt::format(" {}", plan->windows[at++].number);
    points.push_back(std::move(text));
  }
  EXPECT_EQ(at, plan->windows.size());
  return points;
}

TEST(SeriesPlan, TheLastDaysAreThoseOfTheSite) {
  const char* const now = "2026-11-30T16:59:59Z";  // A second before Monday ends in Hanoi.
  EXPECT_THAT(Points(Last(2 * 86'400, v1::SERIES_STEP_DAY), kHanoi, now),
              ElementsAre("2026-11-29T00:00 20261129", "2026-11-30T00:00 20261130"));
  EXPECT_THAT(Points(Last(86'400, v1::SERIES_STEP_UNSPECIFIED), kHanoi, "2026-11-30T17:00:00Z"),
              ElementsAre("2026-12-01T00:00 20261201"));
  EXPECT_THAT(Points(Last(8 * 86'400, v1::SERIES_STEP_WEEK), kHanoi, now),
              ElementsAre("2026-11-23T00:00 20261123 20261124 20261125 20261126 20261127 20261128 20261129",
                          "2026-11-30T00:00 20261130"));
  const auto months = Points(Last(30 * 86'400, v1::SERIES_STEP_MONTH), kHanoi, now);
  ASSERT_EQ(months.size(), 1u);
  EXPECT_TRUE(months[0].starts_with("2026-11-01T00:00 20261101 ")) << months[0];
}

TEST(SeriesPlan, HoursAreThoseOfUtcAndEndWithThePresentOne) {
  EXPECT_THAT(Points(Last(2 * 3'600, v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T16:30:00Z"),
              ElementsAre("2026-11-30T22:00 498903", "2026-11-30T23:00 498904"));
  EXPECT_EQ(Points(Day("", v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T16:30:00Z").size(), 24u);
  EXPECT_EQ(Points(Day("", v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T02:30:00Z").size(), 10u) << "no future hours";
  EXPECT_EQ(Points(Day("2026-11-29", v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T02:30:00Z").size(), 24u);
  EXPECT_THAT(
      Points(Day("2026-11-29", v1::SERIES_STEP_HOUR), "Asia/Kathmandu", "2026-11-30T02:30:00Z"),
      ElementsAre("window.day: window.day: 2026-11-28T18:15:00+00:00 is not the beginning of an hour of UTC; the "
                  "nearest ones are 2026-11-28T18:00:00+00:00 and 2026-11-28T19:00:00+00:00"));
  EXPECT_THAT(Points(Last(9 * 86'400, v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T16:30:00Z"),
              ElementsAre("window: window: begins before 2026-11-22T17:00:00+00:00: hours are kept for 8 days; ask for "
                          "days"));
  EXPECT_EQ(Points(Last(8 * 86'400, v1::SERIES_STEP_HOUR), kHanoi, "2026-11-30T16:30:00Z").size(), 192u);
}

TEST(SeriesPlan, DaysHaveTheirNumbersThroughBothChangesOfClocks) {
  EXPECT_THAT(Points(Range("2026-03-07T00:00:00-05:00", "2026-03-10T00:00:00-04:00", v1::SERIES_STEP_DAY),
                     "America/New_York", "2026-11-30T00:00:00Z"),
              ElementsAre("2026-03-07T00:00 20260307", "2026-03-08T00:00 20260308", "2026-03-09T00:00 20260309"));
  EXPECT_THAT(Points(Range("2026-10-31T00:00:00-04:00", "2026-11-03T00:00:00-05:00", v1::SERIES_STEP_DAY),
                     "America/New_York", "2026-11-30T00:00:00Z"),
              ElementsAre("2026-10-31T00:00 20261031", "2026-11-01T00:00 20261101", "2026-11-02T00:00 20261102"));
  // 25 hours, two of which have the same name.
  EXPECT_EQ(Points(Day("2026-11-01", v1::SERIES_STEP_HOUR), "America/New_York", "2026-11-02T12:00:00Z").size(), 25u);
  EXPECT_EQ(Points(Day("2026-03-08", v1::SERIES_STEP_HOUR), "America/New_York", "2026-03-09T12:00:00Z").size(), 23u);
}

// Returns the points before, or those of a year before, as Points does; or the field of an error.
std::vector<std::string> EarlierPoints(const v1::GetSeriesRequest& request, const Site& site, const char* now,
                                       bool year) {
  const auto plan = PlanSeries(request, site, Millis(now));
  EXPECT_TRUE(plan.ok()) << plan.status();
  const auto earlier =
      year ? PlanYearBefore(request, *plan, site, Millis(now)) : PlanPointsBefore(request, *plan, site, Millis(now));
  if (!earlier.ok()) return {FieldOf(earlier.status())};
  EXPECT_EQ(earlier->points.size(), plan->points.size());
  std::vector<std::string> points;
  size_t at = 0;
  for (const auto& point : earlier->points) {
    std::string text = point.day ? absl::FormatCivilTime(*point.day) : std::to_string(point.start_unix_ms / kMsOfHour);
    EXPECT_EQ(point.start_unix_ms, point.day ? site.days.StartOf(*point.day) : point.start_unix_ms);
    text += fmt::format(": {} from {}", point.windows, earlier->windows[at].number);
    // Hours follow each other without gaps, and days do, too.
    for (size_t i = 0; i < point.windows; ++i, ++at) {
      if (at == 0) continue;
      const Window one = earlier->windows[at - 1], next = earlier->windows[at];
      EXPECT_EQ(point.day ? DayNumber(*DayOfNumber(one.number) + 1) : one.number + 1, next.number);
    }
    points.push_back(std::move(text));
  }
  EXPECT_EQ(at, earlier->windows.size());
  return points;
}

TEST(SeriesPlan, PointsBeforeAreAsManyAndWhole) {
  const Site site = *MakeSite("demo", {kHanoi});
  // A Monday.
  const char* const now = "2026-11-30T05:00:00Z";
  EXPECT_THAT(EarlierPoints(Last(2 * 86'400, v1::SERIES_STEP_DAY), site, now, false),
              ElementsAre("2026-11-27: 1 from 20261127", "2026-11-28: 1 from 20261128"));
  EXPECT_THAT(EarlierPoints(Last(2 * 86'400, v1::SERIES_STEP_UNSPECIFIED), site, now, true),
              ElementsAre("2025-11-30: 1 from 20251130", "2025-12-01: 1 from 20251201"));
  EXPECT_THAT(EarlierPoints(Last(8 * 86'400, v1::SERIES_STEP_WEEK), site, now, false),
              ElementsAre("2026-11-09: 7 from 20261109", "2026-11-16: 7 from 20261116"));
  EXPECT_THAT(EarlierPoints(Last(8 * 86'400, v1::SERIES_STEP_WEEK), site, now, true),
              ElementsAre("2025-11-24: 7 from 20251124", "2025-12-01: 7 from 20251201"));
  EXPECT_THAT(EarlierPoints(Last(60 * 86'400, v1::SERIES_STEP_MONTH), site, now, false),
              ElementsAre("2026-08-01: 31 from 20260801", "2026-09-01: 30 from 20260901"));
  EXPECT_THAT(
      EarlierPoints(Last(60 * 86'400, v1::SERIES_STEP_MONTH), site, "2024-03-02T05:00:00Z", true),
      ElementsAre("2023-01-01: 31 from 20230101", "2023-02-01: 28 from 20230201", "2023-03-01: 31 from 20230301"));
  EXPECT_THAT(EarlierPoints(Last(2 * 3'600, v1::SERIES_STEP_HOUR), site, now, false),
              ElementsAre("498890: 1 from 498890", "498891: 1 from 498891"));
  // Hours and days must still be kept.
  EXPECT_THAT(EarlierPoints(Last(97 * 3'600, v1::SERIES_STEP_HOUR), site, now, false), ElementsAre("with_before"));
  EXPECT_EQ(EarlierPoints(Last(96 * 3'600, v1::SERIES_STEP_HOUR), site, now, false).size(), 96u);
  EXPECT_THAT(EarlierPoints(Last(3'600, v1::SERIES_STEP_HOUR), site, now, true), ElementsAre("with_year_before"));
  const Site long_hours = *MakeSite("demo", {.time_zone = kHanoi, .hours_kept_days = 366});
  EXPECT_THAT(EarlierPoints(Last(3'600, v1::SERIES_STEP_HOUR), long_hours, now, true),
              ElementsAre("490157: 1 from 490157"));
  const Site short_days = *MakeSite("demo", {.time_zone = kHanoi, .days_kept_days = 62});
  EXPECT_EQ(EarlierPoints(Last(31 * 86'400, v1::SERIES_STEP_DAY), short_days, now, false).size(), 31u);
  EXPECT_THAT(EarlierPoints(Last(32 * 86'400, v1::SERIES_STEP_DAY), short_days, now, false),
              ElementsAre("with_before"));
  EXPECT_THAT(EarlierPoints(Last(86'400, v1::SERIES_STEP_DAY), short_days, now, true), ElementsAre("with_year_before"));
  EXPECT_EQ(FieldOf(PlanSeries(Last(63 * 86'400, v1::SERIES_STEP_DAY), short_days, Millis(now)).status()), "window");
  EXPECT_TRUE(PlanSeries(Last(62 * 86'400, v1::SERIES_STEP_DAY), short_days, Millis(now)).ok());
}

TEST(SeriesPlan, WrongEdgesNameTheNearestOnes) {
  EXPECT_THAT(
      Points(Range("2026-11-01T00:00:00Z", "2026-11-03T00:00:00+07:00", v1::SERIES_STEP_DAY), kHanoi,
             "2026-11-30T00:00:00Z"),
      ElementsAre("window.range.start: window.range.start: 2026-11-01T07:00:00+07:00 is not the beginning of a day "
                  "of the site; the nearest ones are 2026-11-01T00:00:00+07:00 and 2026-11-02T00:00:00+07:00"));
  EXPECT_THAT(
      Points(Range("2026-11-01T00:00:00+07:00", "2026-11-15T00:00:00+07:00", v1::SERIES_STEP_MONTH), kHanoi,
             "2026-11-30T00:00:00Z"),
      ElementsAre("window.range.end: window.range.end: 2026-11-15T00:00:00+07:00 is not the beginning of a month "
                  "of the site; the nearest ones are 2026-11-01T00:00:00+07:00 and 2026-12-01T00:00:00+07:00"));
  const auto field = [](const v1::GetSeriesRequest& request) {
    return FieldOf(PlanSeries(request, *MakeSite("demo", {kHanoi}), Millis("2026-11-30T00:00:00Z")).status());
  };
  EXPECT_EQ(field(Range("1926-11-01T00:00:00Z", "2026-11-01T00:00:00Z", v1::SERIES_STEP_DAY)), "window.range.start");
  EXPECT_EQ(field(Range("2000-01-01T00:00:00+07:00", "2026-01-01T00:00:00+07:00", v1::SERIES_STEP_DAY)), "window");
  EXPECT_EQ(field(Range("2026-11-02T00:00:00+07:00", "2026-11-01T00:00:00+07:00", v1::SERIES_STEP_DAY)),
            "window.range.end");
  EXPECT_EQ(field(Last(0, v1::SERIES_STEP_DAY)), "window.last");
  EXPECT_EQ(field(Last(3'600, v1::SERIES_STEP_DAY)), "window.last");
  EXPECT_EQ(field(Last(90, v1::SERIES_STEP_HOUR)), "window.last");
  EXPECT_EQ(field(Last(100 * 365 * 86'400LL, v1::SERIES_STEP_DAY)), "window.last");
  EXPECT_EQ(field(Day("2026-02-30", v1::SERIES_STEP_DAY)), "window.day");
  EXPECT_EQ(field(Day("", static_cast<v1::SeriesStep>(99))), "step");
  v1::GetSeriesRequest without;
  EXPECT_EQ(field(without), "window");
  without.mutable_window()->set_all_time(true);
  EXPECT_EQ(field(without), "window");
}

// Compares random windows with the calendar of views: each moment of the window belongs to the point in which its view
// is counted.
TEST(SeriesPlan, EveryMomentBelongsToThePointThatCountsIt) {
  std::mt19937_64 random(TestSeed());
  for (const char* zone : {kHanoi, "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "UTC"}) {
    const Site site = *MakeSite("demo", {zone});
    for (int i = 0; i < 200; ++i) {
      const int64_t now = Millis("2026-01-01T00:00:00Z") + static_cast<int64_t>(random() % (365 * kMsOfDay));
      const bool hours = random() % 2 == 0;
      const auto count = static_cast<int64_t>(1 + random() % (hours ? 190 : 90));
      const auto step =
          hours ? v1::SERIES_STEP_HOUR
                : std::array{v1::SERIES_STEP_DAY, v1::SERIES_STEP_WEEK, v1::SERIES_STEP_MONTH}[random() % 3];
      const auto plan = PlanSeries(Last(count * (hours ? 3'600 : 86'400), step), site, now);
      ASSERT_TRUE(plan.ok()) << plan.status();
      SiteCalendar calendar(site.zone);
      const int64_t start = plan->points.front().start_unix_ms;
      for (int k = 0; k < 20; ++k) {
        const int64_t moment = start + static_cast<int64_t>(random() % static_cast<uint64_t>(now - start + 1));
        const auto& slot = calendar.SlotOf(moment);
        const Window window = hours ? Window{Window::Kind::kHour, slot.hour} : Window{Window::Kind::kDay, slot.day};
        size_t at = 0;
        bool found = false;
        for (size_t p = 0; p < plan->points.size(); ++p) {
          const bool last = p + 1 == plan->points.size();
          const bool contains =
              plan->points[p].start_unix_ms <= moment && (last || moment < plan->points[p + 1].start_unix_ms);
          for (size_t w = 0; w < plan->points[p].windows; ++w, ++at) {
            if (plan->windows[at] != window) continue;
            EXPECT_TRUE(contains) << zone << " " << moment << " now " << now;
            EXPECT_FALSE(found) << "counted twice";
            found = true;
          }
        }
        EXPECT_TRUE(found) << zone << " " << moment << " now " << now;
      }
    }
  }
}

}  // namespace
}  // namespace viewcount
