// Tests the hour and day of a moment in time zones whose clocks leap, fall back or skip days. The results are compared
// with Abseil's answer for that moment alone.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/sites/site.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

uint32_t DayAt(const absl::TimeZone& zone, int64_t unix_ms) {
  return DayNumber(absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zone));
}

int64_t UtcMillis(int year, int month, int day, int hour, int minute = 0) {
  return absl::ToUnixMillis(absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute), absl::UTCTimeZone()));
}

// Checks the slot of a moment. The calendar has answered other requests before.
void ExpectAgrees(SiteCalendar& calendar, const absl::TimeZone& zone, int64_t unix_ms) {
  const SiteCalendar::Slot slot = calendar.SlotOf(unix_ms);
  ASSERT_TRUE(slot.Contains(unix_ms)) << unix_ms;
  ASSERT_EQ(slot.day, DayAt(zone, unix_ms)) << zone.name() << " " << unix_ms;
  ASSERT_EQ(slot.hour, unix_ms / kHourMs) << zone.name() << " " << unix_ms;
  // The slot's guarantee is checked at both of its ends.
  for (const int64_t end : {slot.begin_ms, slot.end_ms - 1}) {
    ASSERT_EQ(DayAt(zone, end), slot.day) << zone.name() << " " << end << " of the slot of " << unix_ms;
    ASSERT_EQ(end / kHourMs, slot.hour) << zone.name() << " " << end << " of the slot of " << unix_ms;
  }
}

// Checks every half minute from `begin` to `end`, forwards, backwards and at random. Earlier requests must not
// influence the answer.
void ExpectAgreesAround(const std::string& name, int64_t begin, int64_t end) {
  const absl::TimeZone zone = Zone(name);
  SiteCalendar calendar(zone);
  for (int64_t at = begin; at < end; at += kMinuteMs / 2) ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, at));
  for (int64_t at = end; at > begin; at -= kMinuteMs / 2) ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, at - 1));
  std::mt19937_64 random(TestSeed());
  std::uniform_int_distribution<int64_t> moment(begin, end - 1);
  for (int i = 0; i < 3'000; ++i) ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, moment(random)));
}

TEST(SiteCalendar, DaysAreTheSites) {
  SiteCalendar calendar(Zone("Asia/Ho_Chi_Minh"));
  const int64_t midnight = UtcMillis(2026, 11, 22, 17);
  EXPECT_EQ(calendar.SlotOf(midnight - 1).day, 20261122u);
  EXPECT_EQ(calendar.SlotOf(midnight).day, 20261123u);
  EXPECT_EQ(calendar.SlotOf(midnight).hour, midnight / kHourMs);
}

TEST(SiteCalendar, ASlotIsAnHourWhereNothingHappens) {
  SiteCalendar calendar(Zone("Asia/Ho_Chi_Minh"));
  const int64_t hour = UtcMillis(2026, 11, 22, 10);
  const SiteCalendar::Slot slot = calendar.SlotOf(hour + 1'234);
  EXPECT_EQ(slot.begin_ms, hour);
  EXPECT_EQ(slot.end_ms, hour + kHourMs);
}

// Midnight in Kolkata is at half past an hour of UTC. In Kathmandu it is at a quarter past.
TEST(SiteCalendar, DaysMayBeginWithinAnHour) {
  SiteCalendar kolkata(Zone("Asia/Kolkata"));
  const int64_t midnight = UtcMillis(2026, 11, 22, 18, 30);
  EXPECT_EQ(kolkata.SlotOf(midnight - 1).day, 20261122u);
  EXPECT_EQ(kolkata.SlotOf(midnight - 1).end_ms, midnight);
  EXPECT_EQ(kolkata.SlotOf(midnight).begin_ms, midnight);
  EXPECT_EQ(kolkata.SlotOf(midnight).day, 20261123u);
  EXPECT_EQ(kolkata.SlotOf(midnight).hour, kolkata.SlotOf(midnight - 1).hour);
  ExpectAgreesAround("Asia/Kathmandu", UtcMillis(2026, 11, 21, 0), UtcMillis(2026, 11, 23, 0));
}

TEST(SiteCalendar, ClocksThatLeapAndFallBackByDay) {
  ExpectAgreesAround("Europe/Berlin", UtcMillis(2026, 3, 28, 0), UtcMillis(2026, 3, 31, 0));
  ExpectAgreesAround("Europe/Berlin", UtcMillis(2026, 10, 24, 0), UtcMillis(2026, 10, 27, 0));
  ExpectAgreesAround("America/New_York", UtcMillis(2026, 11, 1, 0), UtcMillis(2026, 11, 3, 0));
  ExpectAgreesAround("Australia/Lord_Howe", UtcMillis(2026, 4, 3, 0), UtcMillis(2026, 4, 7, 0));
}

// In Brazil clocks leapt at midnight, so that a day began at one o'clock. They also fell back at midnight.
TEST(SiteCalendar, ClocksThatLeapAndFallBackAtMidnight) {
  ExpectAgreesAround("America/Sao_Paulo", UtcMillis(2018, 11, 3, 0), UtcMillis(2018, 11, 6, 0));
  ExpectAgreesAround("America/Sao_Paulo", UtcMillis(2019, 2, 16, 0), UtcMillis(2019, 2, 19, 0));
  ExpectAgreesAround("Africa/Cairo", UtcMillis(2026, 4, 23, 0), UtcMillis(2026, 4, 26, 0));
  ExpectAgreesAround("Africa/Cairo", UtcMillis(2026, 10, 29, 0), UtcMillis(2026, 10, 31, 0));
}

// In Newfoundland clocks fell back one minute after midnight, into the previous day.
TEST(SiteCalendar, ClocksThatFallBackIntoTheDayBefore) {
  ExpectAgreesAround("America/St_Johns", UtcMillis(2006, 10, 28, 0), UtcMillis(2006, 10, 31, 0));
  ExpectAgreesAround("America/St_Johns", UtcMillis(2006, 4, 1, 0), UtcMillis(2006, 4, 4, 0));
}

// Samoa skipped 2011-12-30, and Kwajalein skipped 1993-08-21.
TEST(SiteCalendar, DaysThatWereLeftOut) {
  ExpectAgreesAround("Pacific/Apia", UtcMillis(2011, 12, 28, 12), UtcMillis(2012, 1, 1, 12));
  ExpectAgreesAround("Pacific/Kwajalein", UtcMillis(1993, 8, 19, 0), UtcMillis(1993, 8, 23, 0));
  SiteCalendar calendar(Zone("Pacific/Apia"));
  const int64_t leap = UtcMillis(2011, 12, 30, 10);
  EXPECT_EQ(calendar.SlotOf(leap - 1).day, 20111229u);
  EXPECT_EQ(calendar.SlotOf(leap).day, 20111231u);
}

TEST(SiteCalendar, TheFirstAndTheLastMoment) {
  for (const char* name : {"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"}) {
    const absl::TimeZone zone = Zone(name);
    SiteCalendar calendar(zone);
    for (const int64_t at : {int64_t{0}, int64_t{1}, limits::kEventTimeUnixMsMax}) {
      ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, at));
    }
  }
}

TEST(SiteCalendar, AgreesAtRandomMomentsAndNearMidnights) {
  std::mt19937_64 random(TestSeed());
  for (const char* name :
       {"UTC", "Asia/Ho_Chi_Minh", "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo", "America/St_Johns",
        "Pacific/Apia", "Pacific/Chatham", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca",
        "America/Havana", "Asia/Beirut", "Asia/Tehran", "America/Scoresbysund", "Antarctica/Troll"}) {
    const absl::TimeZone zone = Zone(name);
    SiteCalendar calendar(zone);
    std::uniform_int_distribution<int64_t> moment(0, UtcMillis(2040, 1, 1, 0));
    for (int i = 0; i < 4'000; ++i) {
      const int64_t at = moment(random);
      ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, at));
      const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(at), zone);
      const int64_t midnight = absl::ToUnixMillis(absl::FromCivil(day, zone));
      for (const int64_t near : {midnight - 1, midnight, midnight + static_cast<int64_t>(random() % (2 * kHourMs))}) {
        ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, std::max<int64_t>(0, near)));
      }
    }
    // Checks moments around every change of the zone's clocks as well.
    absl::TimeZone::CivilTransition change;
    for (absl::Time at = absl::UnixEpoch(); zone.NextTransition(at, &change);) {
      at = std::max(zone.At(change.from).trans, zone.At(change.to).trans);
      if (at > absl::FromUnixMillis(UtcMillis(2040, 1, 1, 0))) break;
      std::uniform_int_distribution<int64_t> near(absl::ToUnixMillis(at) - kDayMs / 12,
                                                  absl::ToUnixMillis(at) + kDayMs / 12);
      for (int i = 0; i < 40; ++i)
        ASSERT_NO_FATAL_FAILURE(ExpectAgrees(calendar, zone, std::max<int64_t>(0, near(random))));
    }
  }
}

}  // namespace
}  // namespace viewcount
