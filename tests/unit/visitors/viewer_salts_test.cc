// Tests which salts are usable at each moment of a site's day, and that no others are returned.
#include "service/visitors/viewer_salts.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

namespace viewcount {
namespace {

constexpr int64_t kSecondMs = 1'000;
constexpr int64_t kSaltMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kSaltMinuteMs;

int64_t UtcMillis(int year, int month, int day, int hour, int minute = 0, int second = 0) {
  const absl::CivilSecond time(year, month, day, hour, minute, second);
  return absl::ToUnixMillis(absl::FromCivil(time, absl::UTCTimeZone()));
}

Site MakeOne(const std::string& name, const std::string& zone, uint32_t index = 0) {
  Site site = *MakeSite(name, {zone});
  site.index = SiteIndex{index};
  return site;
}

ViewerSalt SaltOf(uint8_t number) {
  ViewerSalt salt;
  salt.bytes[0] = number;
  return salt;
}

// This is midnight in Hanoi, or 17:00 UTC.
const int64_t kMidnight = UtcMillis(2026, 11, 22, 17);

TEST(SaltDays, AreThoseOfHalfAnHourAgoAndOfTenMinutesAhead) {
  const absl::TimeZone zone = MakeOne("demo", "Asia/Ho_Chi_Minh").zone;
  const auto at = [&](int64_t unix_ms) {
    const SaltDays days = SaltDays::At(zone, unix_ms);
    EXPECT_TRUE(days.Holds(unix_ms));
    return std::array<uint32_t, 4>{days.before, days.present, days.ahead, days.first()};
  };
  using Days = std::array<uint32_t, 4>;
  EXPECT_EQ(at(kMidnight - 10 * kSaltMinuteMs - 1), (Days{20261122, 20261122, 20261122, 20261122}));
  EXPECT_EQ(at(kMidnight - 10 * kSaltMinuteMs), (Days{20261122, 20261122, 20261123, 20261122}));
  EXPECT_EQ(at(kMidnight - 1), (Days{20261122, 20261122, 20261123, 20261122}));
  EXPECT_EQ(at(kMidnight), (Days{20261122, 20261123, 20261123, 20261122}));
  EXPECT_EQ(at(kMidnight + 30 * kSaltMinuteMs - 1), (Days{20261122, 20261123, 20261123, 20261122}));
  EXPECT_EQ(at(kMidnight + 30 * kSaltMinuteMs), (Days{20261123, 20261123, 20261123, 20261123}));
}

// Checks every half minute of several days. Some of these days are short, long or missing.
TEST(SaltDays, HoldAsLongAsTheySay) {
  struct Period {
    const char* zone;
    int64_t begin;
  };
  for (const auto& [name, begin] :
       {Period{"Asia/Ho_Chi_Minh", kMidnight - 2 * kHourMs}, Period{"Europe/Berlin", UtcMillis(2026, 3, 28, 22)},
        Period{"Europe/Berlin", UtcMillis(2026, 10, 24, 21)}, Period{"America/Havana", UtcMillis(2026, 3, 8, 3)},
        // At midnight clocks went back to 23:00.
        Period{"America/Asuncion", UtcMillis(2024, 3, 24, 1)},
        // At one minute past midnight clocks went back to 23:01.
        Period{"America/St_Johns", UtcMillis(2010, 11, 7, 0)},
        // This day did not exist.
        Period{"Pacific/Apia", UtcMillis(2011, 12, 30, 8)}}) {
    const absl::TimeZone zone = MakeOne("demo", name).zone;
    SaltDays days;
    for (int64_t at = begin; at < begin + 30 * kHourMs; at += 30 * kSecondMs) {
      const SaltDays now = SaltDays::At(zone, at);
      ASSERT_TRUE(now.Holds(at)) << name << " " << at;
      if (days.Holds(at)) {
        ASSERT_EQ((std::array{now.before, now.present, now.ahead}), (std::array{days.before, days.present, days.ahead}))
            << name << " " << at;
      }
      days = now;
      const auto day_at = [&](int64_t moment) { return SiteCalendar(zone).SlotOf(moment).day; };
      ASSERT_EQ(now.present, day_at(at)) << name << " " << at;
      ASSERT_EQ(now.before, day_at(at - 30 * kSaltMinuteMs)) << name << " " << at;
      ASSERT_EQ(now.ahead, day_at(at + 10 * kSaltMinuteMs)) << name << " " << at;
      ASSERT_LE(now.first(), now.present) << "today's would be deleted";
    }
  }
}

TEST(ViewerSalts, AreThoseOfTheMoment) {
  ViewerSalts salts;
  const Site site = MakeOne("demo", "Asia/Ho_Chi_Minh");
  salts.Put(site, 20261122, SaltOf(1));
  salts.Put(site, 20261123, SaltOf(2));
  EXPECT_EQ(salts.At(site, kMidnight - 1).present, SaltOf(1));
  EXPECT_TRUE(salts.At(site, kMidnight - 1).before.IsNone());
  EXPECT_EQ(salts.At(site, kMidnight).present, SaltOf(2));
  EXPECT_EQ(salts.At(site, kMidnight).before, SaltOf(1));
  EXPECT_EQ(salts.At(site, kMidnight + 30 * kSaltMinuteMs - 1).before, SaltOf(1));
  EXPECT_EQ(salts.At(site, kMidnight + 30 * kSaltMinuteMs).present, SaltOf(2));
  EXPECT_TRUE(salts.At(site, kMidnight + 30 * kSaltMinuteMs).before.IsNone()) << "though it is still there";
  EXPECT_EQ(salts.At(site, kMidnight - 1).present, SaltOf(1)) << "whatever was asked before";
}

TEST(ViewerSalts, OneThatIsNotKnownIsNone) {
  ViewerSalts salts;
  const Site site = MakeOne("demo", "UTC", 7);
  EXPECT_TRUE(salts.At(site, kMidnight).present.IsNone());
  EXPECT_TRUE(salts.Of(site, 20261122).IsNone());
  salts.RemoveBefore(site, 20261122);
  salts.Put(site, 20261121, SaltOf(1));
  EXPECT_TRUE(salts.At(site, kMidnight).present.IsNone());
  EXPECT_TRUE(salts.At(MakeOne("other", "UTC", 3), kMidnight).present.IsNone());
}

TEST(ViewerSalts, WhatIsPutOrRemovedIsSeenAtOnce) {
  ViewerSalts salts;
  const Site site = MakeOne("demo", "Asia/Ho_Chi_Minh");
  EXPECT_TRUE(salts.At(site, kMidnight).present.IsNone());
  salts.Put(site, 20261123, SaltOf(1));
  EXPECT_EQ(salts.At(site, kMidnight).present, SaltOf(1));
  salts.Put(site, 20261123, SaltOf(2));
  EXPECT_EQ(salts.At(site, kMidnight).present, SaltOf(2));
  salts.Put(site, 20261122, SaltOf(3));
  EXPECT_EQ(salts.At(site, kMidnight).before, SaltOf(3));
  salts.RemoveBefore(site, 20261123);
  EXPECT_TRUE(salts.At(site, kMidnight).before.IsNone());
  EXPECT_TRUE(salts.Of(site, 20261122).IsNone());
  EXPECT_EQ(salts.Of(site, 20261123), SaltOf(2));
}

TEST(ViewerSalts, ASitesDaysAreThoseOfItsPresentZone) {
  ViewerSalts salts;
  const Site before = MakeOne("demo", "Asia/Ho_Chi_Minh");
  salts.Put(before, 20261122, SaltOf(1));
  salts.Put(before, 20261123, SaltOf(2));
  EXPECT_EQ(salts.At(before, kMidnight).present, SaltOf(2));
  EXPECT_EQ(salts.At(MakeOne("demo", "UTC"), kMidnight).present, SaltOf(1));
  EXPECT_EQ(salts.At(before, kMidnight).present, SaltOf(2));
}

TEST(ViewerSalts, SitesHaveTheirOwn) {
  ViewerSalts salts;
  const Site first = MakeOne("first", "UTC", 0), second = MakeOne("second", "UTC", 1);
  salts.Put(second, 20261122, SaltOf(2));
  salts.Put(first, 20261122, SaltOf(1));
  EXPECT_EQ(salts.At(first, kMidnight).present, SaltOf(1));
  EXPECT_EQ(salts.At(second, kMidnight).present, SaltOf(2));
  salts.RemoveBefore(first, 20261123);
  EXPECT_TRUE(salts.At(first, kMidnight).present.IsNone());
  EXPECT_EQ(salts.At(second, kMidnight).present, SaltOf(2));
}

TEST(ViewerSalts, MayBeAskedWhileTheyChange) {
  ViewerSalts salts;
  const Site site = MakeOne("demo", "UTC");
  std::atomic<bool> ended{false};
  std::thread reader([&] {
    while (!ended) {
      const ViewerSalt found = salts.At(site, kMidnight).present;
      EXPECT_TRUE(found.IsNone() || found.bytes[0] == found.bytes[15]);
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    ViewerSalt salt;
    salt.bytes.fill(static_cast<uint8_t>(i % 255 + 1));
    salts.Put(site, 20261122, salt);
    if (i % 10 == 0) salts.RemoveBefore(site, 20261123);
  }
  ended = true;
  reader.join();
}

}  // namespace
}  // namespace viewcount
