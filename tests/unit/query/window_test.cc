// Tests that the days and hours of a window contain every view of its span once, in zones with clock changes.
#include "service/query/window.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "service/base/status.h"
#include "service/query/kept_windows.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;

constexpr int64_t kWindowHourMs = 3'600'000;

std::shared_ptr<const Site> SiteIn(const std::string& zone) {
  return std::make_shared<Site>(*MakeSite("demo", {zone}));
}

int64_t MsOf(const char* text) {
  google::protobuf::Timestamp time;
  EXPECT_TRUE(TimeUtil::FromString(text, &time)) << text;
  return TimeUtil::TimestampToMilliseconds(time);
}

v1::Window LastHours(int64_t hours) {
  v1::Window window;
  window.mutable_last()->set_seconds(hours * 3'600);
  return window;
}
v1::Window RangeOf(int64_t start, int64_t end) {
  v1::Window window;
  *window.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(start);
  *window.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(end);
  return window;
}

// Returns how many of the windows contain a view of that time.
size_t Contained(const std::vector<Window>& windows, int64_t unix_ms, const Site& site) {
  const uint32_t day = DayNumber(DayAt(unix_ms, site));
  const auto hour = static_cast<uint32_t>(unix_ms / kWindowHourMs);
  return static_cast<size_t>(std::ranges::count_if(windows, [&](const Window& window) {
    return window == Window{Window::Kind::kDay, day} || window == Window{Window::Kind::kHour, hour};
  }));
}

// Compares the windows with their span, in steps of five minutes around every edge and at random moments.
void CheckWindows(const AskedWindows& asked, const Site& site, int64_t now, std::mt19937_64& random) {
  const TimeSpan& span = asked.span;
  ASSERT_TRUE(std::ranges::is_sorted(asked.windows, [&](const Window& a, const Window& b) {
    const auto start = [&](const Window& window) {
      return window.kind == Window::Kind::kHour ? int64_t{window.number} * kWindowHourMs
                                                : StartOf(*DayOfNumber(window.number), site);
    };
    return start(a) < start(b);
  }));
  std::vector<int64_t> moments;
  for (const int64_t edge : {span.start_unix_ms, span.end_unix_ms}) {
    for (int64_t by = -26 * kWindowHourMs; by <= 26 * kWindowHourMs; by += 300'000) moments.push_back(edge + by);
  }
  const auto length = static_cast<uint64_t>(span.end_unix_ms - span.start_unix_ms);
  for (int i = 0; i < 200; ++i) moments.push_back(span.start_unix_ms + static_cast<int64_t>(random() % length));
  for (const int64_t moment : moments) {
    if (moment > now || moment < 0) continue;
    const size_t expected = moment >= span.start_unix_ms && moment < span.end_unix_ms ? 1 : 0;
    ASSERT_EQ(Contained(asked.windows, moment, site), expected)
        << TimeText(moment, site.zone) << " in " << TimeText(span.start_unix_ms, site.zone) << " to "
        << TimeText(span.end_unix_ms, site.zone) << ", now " << TimeText(now, site.zone);
  }
}

std::shared_ptr<const Site> SiteThatKeeps(SiteSettings settings) {
  return std::make_shared<Site>(*MakeSite("demo", std::move(settings)));
}

TEST(Windows, HoursAndDaysMustBeKept) {
  const int64_t now = MsOf("2026-11-22T10:30:00Z");
  const auto error = [&](const v1::Window& window, const Site& site) {
    const auto asked = WindowsOf(window, site, now);
    return asked.ok() ? std::string() : std::string(asked.status().message());
  };
  const auto kept_long = SiteThatKeeps({.hours_kept_days = 15, .days_kept_days = 62});
  const auto only_hours = [&](const char* day) {
    return RangeOf(MsOf((std::string(day) + "T01:00:00Z").c_str()), MsOf((std::string(day) + "T03:00:00Z").c_str()));
  };
  EXPECT_EQ(WindowsOf(only_hours("2026-11-08"), *kept_long, now)->windows.size(), 2u);
  EXPECT_THAT(error(only_hours("2026-11-07"), *kept_long), HasSubstr("hours are kept since 2026-11-07T11:00:00+00:00"));
  EXPECT_THAT(error(only_hours("2026-11-08"), *SiteThatKeeps({})),
              HasSubstr("hours are kept since 2026-11-14T11:00:00+00:00"));
  // Since the change 5 days ago, hours are kept for longer.
  const auto changed = SiteThatKeeps(
      {.hours_kept_days = 15, .earlier_hours_kept = {{.days = 8, .until_unix_ms = MsOf("2026-11-17T10:00:00Z")}}});
  EXPECT_THAT(error(only_hours("2026-11-08"), *changed), HasSubstr("hours are kept since 2026-11-14T11:00:00+00:00"));
  // Whole days mean days whatever is kept, and other spans mean hours.
  EXPECT_EQ(WindowsOf(LastHours(216), *kept_long, now)->windows.size(), 9u);
  EXPECT_EQ(WindowsOf(LastHours(217), *kept_long, now)->span.start_unix_ms, MsOf("2026-11-13T10:00:00Z"));
  EXPECT_THAT(error(LastHours(361), *kept_long), HasSubstr("of more than 360 hours must be a whole number of days"));
  EXPECT_THAT(error(LastHours(193), *changed), HasSubstr("of more than 192 hours must be a whole number of days"));

  EXPECT_EQ(WindowsOf(LastHours(62 * 24), *kept_long, now)->windows.size(), 62u);
  const char* const since = "days are kept since 2026-09-22 only, which are the last 62 days";
  EXPECT_THAT(error(LastHours(63 * 24), *kept_long), HasSubstr(since));
  v1::Window day;
  day.set_day("2026-09-22");
  EXPECT_EQ(error(day, *kept_long), "");
  day.set_day("2026-09-21");
  EXPECT_THAT(error(day, *kept_long), HasSubstr(since));
  EXPECT_THAT(error(RangeOf(MsOf("2026-09-21T00:00:00Z"), MsOf("2026-10-21T00:00:00Z")), *kept_long), HasSubstr(since));
  EXPECT_EQ(error(RangeOf(MsOf("2026-09-22T00:00:00Z"), MsOf("2026-10-21T00:00:00Z")), *kept_long), "");
  // All time has no days.
  EXPECT_EQ(error(v1::Window(), *kept_long), "");
}

TEST(Windows, ContainEveryMomentOfTheirSpanOnce) {
  std::mt19937_64 random(TestSeed());
  std::vector<SiteSettings> sites = {
      {"UTC"}, {"Asia/Ho_Chi_Minh"}, {"Asia/Kathmandu"}, {"America/New_York"}, {"Australia/Lord_Howe"}};
  // Sites that changed their time zone in the time that is asked about.
  for (const auto& [before, after] : {std::pair("UTC", "Asia/Ho_Chi_Minh"), std::pair("Asia/Kathmandu", "UTC"),
                                      std::pair("America/New_York", "Asia/Tokyo")}) {
    sites.push_back({.time_zone = after, .earlier_zones = {{before, MsOf("2026-07-05T12:00:00Z")}}});
    sites.push_back({.time_zone = after, .earlier_zones = {{before, MsOf("2026-10-29T20:34:56Z")}}});
  }
  for (const SiteSettings& settings : sites) {
    const auto site = std::make_shared<Site>(*MakeSite("demo", settings));
    for (int i = 0; i < 40; ++i) {
      // Around both clock changes of 2026, and at any other time.
      const int64_t around[] = {MsOf("2026-03-08T07:00:00Z"), MsOf("2026-11-01T06:00:00Z"),
                                MsOf("2026-04-04T15:00:00Z"), MsOf("2026-10-03T15:30:00Z"),
                                MsOf("2026-07-01T00:00:00Z")};
      const int64_t now = around[random() % 5] + static_cast<int64_t>(random() % (10 * 24)) * kWindowHourMs -
                          kWindowHourMs + static_cast<int64_t>(random() % kWindowHourMs);
      const auto last = WindowsOf(LastHours(static_cast<int64_t>(1 + random() % 192)), *site, now);
      ASSERT_TRUE(last.ok()) << last.status();
      ASSERT_NO_FATAL_FAILURE(CheckWindows(*last, *site, now, random));
      const auto days = WindowsOf(LastHours(static_cast<int64_t>(9 + random() % 391) * 24), *site, now);
      ASSERT_TRUE(days.ok()) << days.status();
      ASSERT_NO_FATAL_FAILURE(CheckWindows(*days, *site, now, random));
      // A range is either answered or refused; if it is answered, its edges are those that were requested.
      const bool by_hour = random() % 2 == 0;
      const auto edge = [&](uint64_t back) {
        if (by_hour) return now - now % kWindowHourMs - static_cast<int64_t>(back % 200) * kWindowHourMs;
        return StartOf(DayAt(now, *site) - static_cast<int64_t>(back % 300), *site);
      };
      const int64_t start = edge(random()), end = edge(random());
      if (start >= end) continue;
      const auto range = WindowsOf(RangeOf(start, end), *site, now);
      if (!range.ok()) {
        ASSERT_TRUE(by_hour) << range.status();
        ASSERT_THAT(std::string(range.status().message()), HasSubstr("window.range")) << range.status();
        continue;
      }
      ASSERT_EQ(range->span.start_unix_ms, start);
      ASSERT_EQ(range->span.end_unix_ms, end);
      ASSERT_NO_FATAL_FAILURE(CheckWindows(*range, *site, now, random));
    }
  }
}

TEST(Windows, UseDaysWhereTheyCan) {
  const auto site = SiteIn("Asia/Ho_Chi_Minh");
  const int64_t now = MsOf("2026-11-30T05:20:00Z");
  // 24 hours: from 13:00 of yesterday until midnight, and today.
  EXPECT_EQ(WindowsOf(LastHours(24), *site, now)->windows.size(), 11u + 1u);
  EXPECT_EQ(WindowsOf(LastHours(168), *site, now)->windows.size(), 11u + 7u);
  EXPECT_EQ(WindowsOf(LastHours(30 * 24), *site, now)->windows.size(), 30u);
  // Midnights in Kathmandu are no whole hours of UTC.
  EXPECT_EQ(WindowsOf(LastHours(24), *SiteIn("Asia/Kathmandu"), now)->windows.size(), 24u);
}

TEST(Windows, RefusalsNameTheNearestEdges) {
  const auto site = SiteIn("Asia/Ho_Chi_Minh");
  const int64_t now = MsOf("2026-11-30T05:20:00Z");
  const auto error = [&](const v1::Window& window) {
    const auto asked = WindowsOf(window, *site, now);
    EXPECT_TRUE(absl::IsInvalidArgument(asked.status())) << asked.status();
    return std::string(asked.status().message());
  };
  EXPECT_THAT(error(LastHours(193)), HasSubstr("such as 192 or 216 hours"));
  EXPECT_THAT(error(LastHours(401 * 24)), HasSubstr("at most 400 days"));
  EXPECT_THAT(error(LastHours(0)), HasSubstr("whole number of hours"));
  v1::Window minutes;
  minutes.mutable_last()->set_seconds(5'400);
  EXPECT_THAT(error(minutes), HasSubstr("whole number of hours"));
  const int64_t midnight = MsOf("2026-11-29T17:00:00Z");
  EXPECT_THAT(error(RangeOf(midnight - 30 * 60'000, midnight)),
              HasSubstr("2026-11-29T00:00:00+07:00 or 2026-11-30T00:00:00+07:00, or a whole hour of UTC, such as "
                        "2026-11-29T16:00:00+00:00"));
  EXPECT_THAT(error(RangeOf(midnight - 300 * kWindowHourMs, midnight)),
              HasSubstr("hours are kept since 2026-11-22T06:00:00+00:00"));
  EXPECT_THAT(error(RangeOf(midnight, midnight)), HasSubstr("after the start"));
  EXPECT_THAT(error(RangeOf(now + 1, now + kWindowHourMs)), HasSubstr("must not be after the present"));
  EXPECT_THAT(error(RangeOf(0, MsOf("2070-01-01T00:00:00Z"))), HasSubstr("window"));
}

TEST(KeptWindows, EveryHourAndDayMustBeKept) {
  constexpr int64_t kKeptNow = int64_t{498'718} * kMsOfHour;
  const Site site = *MakeSite("demo", {.time_zone = "UTC", .days_kept_days = 62});
  const Window all = {}, oldest_hour{Window::Kind::kHour, 498'718 - 191}, lost_hour{Window::Kind::kHour, 498'718 - 192};
  const Window oldest_day{Window::Kind::kDay, 20'260'922}, lost_day{Window::Kind::kDay, 20'260'921};
  const auto are_kept = [&](std::vector<Window> windows, int64_t now) { return AreKept(windows, site, now); };
  EXPECT_TRUE(are_kept({all, oldest_hour, oldest_day}, kKeptNow));
  EXPECT_FALSE(are_kept({all, lost_hour}, kKeptNow));
  EXPECT_FALSE(are_kept({oldest_day, lost_day}, kKeptNow));
  EXPECT_FALSE(are_kept({oldest_hour}, kKeptNow + kMsOfHour));
  EXPECT_FALSE(are_kept({oldest_day}, kKeptNow + 2 * kMsOfHour));
  // The present settings decide.
  SiteDirectory sites;
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {.time_zone = "UTC", .days_kept_days = 63})).ok());
  const std::vector<Window> windows = {lost_day};
  EXPECT_TRUE(AreKept(windows, sites, site, kKeptNow));
}

}  // namespace
}  // namespace viewcount
