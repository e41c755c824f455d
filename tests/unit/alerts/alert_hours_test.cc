// Tests the hours and days of alerts, in zones with and without changes of the clock.
#include "service/alerts/alert_hours.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

int64_t UnixMs(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return absl::ToUnixMillis(time);
}

int64_t Hour(const std::string& text) { return UnixMs(text) / 3'600'000; }

v1::AlertDigest Digest(v1::DigestPeriod period, uint32_t hour) {
  v1::AlertDigest digest;
  digest.set_period(period);
  digest.set_hour(hour);
  return digest;
}

absl::CivilDay Due(const v1::AlertDigest& digest, const std::string& zone, const std::string& now) {
  return DueDigest(digest, Zone(zone), UnixMs(now)).due;
}

TEST(AlertHours, SameHourIsThatOfTheClock) {
  EXPECT_EQ(SameHourBefore(Hour("2026-11-30T01:00:00Z"), 7, Zone("Asia/Ho_Chi_Minh")), Hour("2026-11-23T01:00:00Z"));
  // Berlin leaves summer time on 2026-10-25 at 03:00, so nine o'clock moves from 07:00 to 08:00 UTC.
  EXPECT_EQ(SameHourBefore(Hour("2026-10-26T08:00:00Z"), 1, Zone("Europe/Berlin")), Hour("2026-10-25T08:00:00Z"));
  EXPECT_EQ(SameHourBefore(Hour("2026-10-26T08:00:00Z"), 2, Zone("Europe/Berlin")), Hour("2026-10-24T07:00:00Z"));
  // It begins summer time on 2026-03-29 at 02:00, when 02:30 does not exist.
  EXPECT_EQ(SameHourBefore(Hour("2026-03-30T00:00:00Z"), 1, Zone("Europe/Berlin")), Hour("2026-03-29T01:00:00Z"));
}

TEST(AlertHours, DailyDigestIsAboutTheDayBefore) {
  const v1::AlertDigest digest = Digest(v1::DIGEST_PERIOD_DAY, 7);
  const DigestSpan span = DueDigest(digest, Zone("Asia/Ho_Chi_Minh"), UnixMs("2026-11-30T00:00:00Z"));
  EXPECT_EQ(span.due, absl::CivilDay(2026, 11, 30));
  EXPECT_EQ(span.begin, absl::CivilDay(2026, 11, 29));
  EXPECT_EQ(span.end, absl::CivilDay(2026, 11, 30));
  EXPECT_EQ(span.before, absl::CivilDay(2026, 11, 28));
  // A minute before seven o'clock in Hanoi.
  EXPECT_EQ(Due(digest, "Asia/Ho_Chi_Minh", "2026-11-29T23:59:00Z"), absl::CivilDay(2026, 11, 29));
}

TEST(AlertHours, WeeklyDigestIsAboutTheWeekFromMondayToSunday) {
  const v1::AlertDigest digest = Digest(v1::DIGEST_PERIOD_WEEK, 8);
  // 2026-11-30 is a Monday.
  const DigestSpan span = DueDigest(digest, Zone("Asia/Ho_Chi_Minh"), UnixMs("2026-11-30T01:00:00Z"));
  EXPECT_EQ(span.due, absl::CivilDay(2026, 11, 30));
  EXPECT_EQ(span.begin, absl::CivilDay(2026, 11, 23));
  EXPECT_EQ(span.end, absl::CivilDay(2026, 11, 30));
  EXPECT_EQ(span.before, absl::CivilDay(2026, 11, 16));
  EXPECT_EQ(Due(digest, "Asia/Ho_Chi_Minh", "2026-11-30T00:59:00Z"), absl::CivilDay(2026, 11, 23));
  EXPECT_EQ(Due(digest, "Asia/Ho_Chi_Minh", "2026-12-06T12:00:00Z"), absl::CivilDay(2026, 11, 30));
}

TEST(AlertHours, HourThatDoesNotExistIsReplacedByTheNext) {
  const v1::AlertDigest digest = Digest(v1::DIGEST_PERIOD_DAY, 2);
  // 02:00 in Berlin is 03:00 on this day, at 01:00 UTC.
  EXPECT_EQ(Due(digest, "Europe/Berlin", "2026-03-29T00:59:00Z"), absl::CivilDay(2026, 3, 28));
  EXPECT_EQ(Due(digest, "Europe/Berlin", "2026-03-29T01:00:00Z"), absl::CivilDay(2026, 3, 29));
}

TEST(AlertHours, HourThatComesTwiceIsTheFirstOne) {
  const v1::AlertDigest digest = Digest(v1::DIGEST_PERIOD_DAY, 2);
  EXPECT_EQ(Due(digest, "Europe/Berlin", "2026-10-24T23:59:00Z"), absl::CivilDay(2026, 10, 24));
  EXPECT_EQ(Due(digest, "Europe/Berlin", "2026-10-25T00:00:00Z"), absl::CivilDay(2026, 10, 25));
  // At the second one nothing more is due.
  EXPECT_EQ(Due(digest, "Europe/Berlin", "2026-10-25T01:30:00Z"), absl::CivilDay(2026, 10, 25));
}

TEST(AlertHours, MidnightThatDoesNotExistIsDueWhenTheDayBegins) {
  // Beirut's clocks go from 00:00 to 01:00 on 2026-03-29.
  const v1::AlertDigest digest = Digest(v1::DIGEST_PERIOD_DAY, 0);
  EXPECT_EQ(Due(digest, "Asia/Beirut", "2026-03-28T21:59:00Z"), absl::CivilDay(2026, 3, 28));
  EXPECT_EQ(Due(digest, "Asia/Beirut", "2026-03-28T22:00:00Z"), absl::CivilDay(2026, 3, 29));
}

}  // namespace
}  // namespace viewcount
