// Tests the days of sites that change their time zone, against the days of each zone alone.
#include "service/sites/day_zones.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "service/sites/site.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr int64_t kOneMinuteMs = 60'000;
constexpr int64_t kOneDayMs = 24 * 60 * kOneMinuteMs;

absl::TimeZone ZoneNamed(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

int64_t MomentOf(const absl::TimeZone& zone, const absl::CivilSecond& time) {
  return absl::ToUnixMillis(absl::FromCivil(time, zone));
}

// Checks every ten minutes of six days around a change.
void CheckChange(const DayZones& zones, const absl::TimeZone& before, const absl::TimeZone& after, int64_t change) {
  SiteCalendar calendar(zones);
  const auto day_in = [](const absl::TimeZone& zone, int64_t at) {
    return absl::ToCivilDay(absl::FromUnixMillis(at), zone);
  };
  const absl::CivilDay begun = day_in(before, change - 1);
  const int64_t first = change - 3 * kOneDayMs;
  absl::CivilDay last = zones.DayAt(first - 1);
  for (int64_t at = first; at < change + 3 * kOneDayMs; at += 10 * kOneMinuteMs) {
    const absl::CivilDay day = zones.DayAt(at);
    ASSERT_EQ(day, at < change ? day_in(before, at) : std::max(begun, day_in(after, at))) << at;
    // Days never go back, and each begins where it is said to.
    ASSERT_GE(day, last) << at;
    ASSERT_LE(zones.StartOf(day), at);
    ASSERT_GT(zones.StartOf(day + 1), at);
    ASSERT_EQ(zones.DayAt(zones.StartOf(day)), day);
    ASSERT_LT(zones.DayAt(zones.StartOf(day) - 1), day);
    last = day;
    const SiteCalendar::Slot slot = calendar.SlotOf(at);
    ASSERT_TRUE(slot.Contains(at));
    ASSERT_EQ(slot.day, DayNumber(day)) << at;
    for (const int64_t end : {slot.begin_ms, slot.end_ms - 1}) {
      ASSERT_EQ(DayNumber(zones.DayAt(end)), slot.day) << end << " of the slot of " << at;
      ASSERT_EQ(end / (60 * kOneMinuteMs), slot.hour);
    }
    ASSERT_LE(slot.day_begin_ms, at);
  }
}

TEST(DayZones, ADayIsOneSpanOfTimeThroughAChange) {
  std::mt19937_64 random(TestSeed());
  const char* const names[] = {"UTC",
                               "Asia/Ho_Chi_Minh",
                               "Asia/Kathmandu",
                               "America/New_York",
                               "Pacific/Pago_Pago",
                               "Pacific/Kiritimati",
                               "Europe/Berlin"};
  for (const char* from : names) {
    for (const char* to : names) {
      const absl::TimeZone before = ZoneNamed(from), after = ZoneNamed(to);
      for (int i = 0; i < 3; ++i) {
        const int64_t change = MomentOf(before, absl::CivilSecond(2026, 3, 27)) +
                               static_cast<int64_t>(random() % static_cast<uint64_t>(4 * kOneDayMs));
        SCOPED_TRACE(std::string(from) + " to " + to + " at " + std::to_string(change));
        ASSERT_NO_FATAL_FAILURE(CheckChange(DayZones(after, {{before, change}}), before, after, change));
      }
    }
  }
}

TEST(DayZones, ATodayThatGoesOnIsLonger) {
  const absl::TimeZone hanoi = ZoneNamed("Asia/Ho_Chi_Minh");
  // At 3 o'clock in the morning of the 2nd it is still the 1st in UTC.
  const int64_t change = MomentOf(hanoi, absl::CivilSecond(2026, 12, 2, 3));
  const DayZones zones(absl::UTCTimeZone(), {{hanoi, change}});
  EXPECT_EQ(zones.StartOf(absl::CivilDay(2026, 12, 2)), MomentOf(hanoi, absl::CivilSecond(2026, 12, 2)));
  EXPECT_EQ(zones.StartOf(absl::CivilDay(2026, 12, 3)), MomentOf(absl::UTCTimeZone(), absl::CivilSecond(2026, 12, 3)));
  EXPECT_EQ(zones.DayAt(change), absl::CivilDay(2026, 12, 2));
}

TEST(DayZones, ASiteKeepsItsEarlierZones) {
  const SiteSettings settings{.time_zone = "UTC", .earlier_zones = {{"Asia/Tokyo", 1'000}, {"Asia/Kathmandu", 2'000}}};
  EXPECT_EQ(EncodeSettings(settings), "UTC until=1000/Asia/Tokyo until=2000/Asia/Kathmandu");
  EXPECT_EQ(ParseSettings(EncodeSettings(settings)), settings);
  const auto site = MakeSite("demo", settings);
  ASSERT_TRUE(site.ok()) << site.status();
  EXPECT_EQ(site->days,
            DayZones(absl::UTCTimeZone(), {{ZoneNamed("Asia/Tokyo"), 1'000}, {ZoneNamed("Asia/Kathmandu"), 2'000}}));
  for (const char* line : {"UTC until=", "UTC until=5", "UTC until=x/UTC", "UTC until=5/No/Such", "UTC until=5/",
                           "UTC until=5/UTC until=5/UTC", "UTC until=6/UTC until=5/UTC"}) {
    EXPECT_FALSE(MakeSite("demo", ParseSettings(line)).ok()) << line;
  }
}

}  // namespace
}  // namespace viewcount
