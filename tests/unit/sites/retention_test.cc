// Tests that no hour is called complete after the store may have deleted it, whatever was done to the setting.
#include "service/sites/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr int64_t kMsOfModelHour = 3'600'000;
constexpr int64_t kFirstModelHour = 490'000;

Site SiteWith(SiteSettings settings) { return *MakeSite("demo", std::move(settings)); }
int64_t MsOfDay(int year, int month, int day) {
  return absl::ToUnixMillis(absl::FromCivil(absl::CivilDay(year, month, day), absl::UTCTimeZone()));
}

// The hashes of hours in a store: a write sets the time at which the hash is deleted. Every hour is written while it is
// the present one, and some again later.
class Model {
 public:
  void Write(int64_t hour, int64_t now, uint32_t days_kept) {
    Hash& hash = At(hour);
    Expire(hash, now);
    const SiteSettings settings{.hours_kept_days = days_kept};
    // A view of that hour that is not written is missing from then on.
    if (!IsHourWritten(settings, static_cast<uint32_t>(hour), now * kMsOfModelHour)) {
      hash.complete = false;
      return;
    }
    hash.expires_at = now + 24 * int64_t{days_kept};
  }
  bool IsComplete(int64_t hour, int64_t now) {
    Hash& hash = At(hour);
    Expire(hash, now);
    return hash.complete;
  }

 private:
  struct Hash {
    bool complete = true;
    int64_t expires_at = 0;
  };
  Hash& At(int64_t hour) {
    const auto place = static_cast<size_t>(hour - kFirstModelHour);
    if (hashes_.size() <= place) hashes_.resize(place + 1);
    return hashes_[place];
  }
  static void Expire(Hash& hash, int64_t now) {
    if (hash.expires_at != 0 && hash.expires_at <= now) hash.complete = false;
  }

  std::vector<Hash> hashes_;
};

TEST(Retention, NoHourIsCalledCompleteAfterItWasDeleted) {
  std::mt19937_64 random(TestSeed());
  const auto below = [&](uint64_t count) { return static_cast<int64_t>(random() % count); };
  int64_t complete_hours = 0, claimed_hours = 0;
  for (int round = 0; round < 12; ++round) {
    Model model;
    Site site = SiteWith({});
    const int64_t hours = 1'500 + below(1'500);
    // Few changes show that hours are claimed again some time after a change; many changes are merged.
    const uint64_t change_every = round % 3 == 0 ? 40 : 600;
    for (int64_t now = kFirstModelHour; now < kFirstModelHour + hours; ++now) {
      const uint32_t before = site.settings.hours_kept_days;
      uint32_t slow = before;
      if (random() % change_every == 0) {
        SiteSettings wanted = site.settings;
        wanted.hours_kept_days = static_cast<uint32_t>(8 + below(40));
        RememberRetention(site, now * kMsOfModelHour + below(kMsOfModelHour), wanted);
        site = SiteWith(std::move(wanted));
        ASSERT_LE(site.settings.earlier_hours_kept.size(), kEarlierHoursKeptMax);
        ASSERT_EQ(ParseSettings(EncodeSettings(site.settings)), site.settings);
      } else {
        slow = site.settings.hours_kept_days;
      }
      // An instance may write this hour, or one before, under the settings before a change.
      model.Write(now, now, below(2) == 0 ? slow : site.settings.hours_kept_days);
      for (int i = 0; i < 3; ++i) {
        model.Write(std::max(kFirstModelHour, now - below(400)), now, below(2) == 0 ? slow : before);
      }
      const int64_t at = now * kMsOfModelHour + below(kMsOfModelHour);
      const int64_t first = FirstKeptHour(site.settings, at) / kMsOfModelHour;
      ASSERT_GE(first, now - 24 * int64_t{site.settings.hours_kept_days} + 1);
      for (int64_t hour = std::max(first, kFirstModelHour); hour <= now; ++hour) {
        ASSERT_TRUE(model.IsComplete(hour, now)) << "hour " << hour - kFirstModelHour << " at " << now - kFirstModelHour
                                                 << " under " << EncodeSettings(site.settings);
      }
      if (change_every == 40) continue;
      claimed_hours += now - std::max(first, kFirstModelHour) + 1;
      for (int64_t hour = std::max(now - 24 * int64_t{site.settings.hours_kept_days} + 1, kFirstModelHour); hour <= now;
           ++hour) {
        complete_hours += model.IsComplete(hour, now) ? 1 : 0;
      }
    }
  }
  // Most complete hours are claimed. Those between are not that were kept by chance, because they were written late.
  EXPECT_GT(claimed_hours, complete_hours * 6 / 10);
}

TEST(Retention, HoursAreKeptForLongerAfterTheirTimeHasPassed) {
  const int64_t changed_at = MsOfDay(2026, 11, 1) + 90'000;
  const auto days_before = [](int64_t now, const Site& site) {
    return static_cast<double>(now - FirstKeptHour(site.settings, now)) / 86'400'000;
  };
  SiteSettings wanted{.hours_kept_days = 30};
  RememberRetention(SiteWith({}), changed_at, wanted);
  EXPECT_EQ(EncodeSettings(SiteWith(wanted).settings), "UTC hours-kept=30 hours-kept-until=1793498400000/8");
  const Site site = SiteWith(wanted);
  for (const auto& [days_later, kept] : {std::pair(0, 8), {4, 8}, {8, 8}, {20, 20}, {29, 29}, {31, 30}, {400, 30}}) {
    EXPECT_NEAR(days_before(changed_at + days_later * int64_t{86'400'000}, site), kept, 0.1) << days_later;
  }
  // A smaller value holds at once, and needs no memory.
  SiteSettings smaller{.hours_kept_days = 10};
  RememberRetention(site, changed_at + 3'600'000, smaller);
  EXPECT_EQ(smaller.earlier_hours_kept, wanted.earlier_hours_kept);
  EXPECT_NEAR(days_before(changed_at + 400 * int64_t{86'400'000}, SiteWith(smaller)), 10, 0.1);
}

TEST(Retention, DaysThatMayHaveBeenRemovedStayRefused) {
  const int64_t now = MsOfDay(2026, 11, 22) + 5'000;
  const Site for_ever = SiteWith({});
  EXPECT_EQ(FirstKeptDay(for_ever, now), std::nullopt);
  EXPECT_EQ(FirstWrittenDay(for_ever, now), 0u);
  SiteSettings limited{.days_kept_days = 62};
  RememberRetention(for_ever, now, limited);
  EXPECT_EQ(limited.first_kept_day, 0u);
  const Site site = SiteWith(limited);
  EXPECT_EQ(FirstKeptDay(site, now), absl::CivilDay(2026, 9, 22));
  EXPECT_TRUE(IsDayWritten(site, 20'260'922, now));
  EXPECT_FALSE(IsDayWritten(site, 20'260'921, now));
  // A day is removed an hour after the midnight from which on it is refused.
  EXPECT_EQ(FirstLeftDay(site, now), 20'260'921u);
  EXPECT_EQ(FirstLeftDay(site, now + 3'595'000), 20'260'922u);
  EXPECT_EQ(FirstLeftDay(for_ever, now), 0u);
  SiteSettings again;
  RememberRetention(site, now, again);
  const Site unlimited = SiteWith(again);
  // One day more may be gone, if an instance learns of it after midnight.
  EXPECT_EQ(FirstKeptDay(unlimited, now + 400 * int64_t{86'400'000}), absl::CivilDay(2026, 9, 23));
  EXPECT_EQ(EncodeSettings(unlimited.settings), "UTC days-kept-from=20260923");
  EXPECT_EQ(ParseSettings("UTC days-kept-from=20260923"), unlimited.settings);
  EXPECT_TRUE(IsDayWritten(unlimited, 20'200'101, now));
}

// Views may be ahead of their time, and clocks differ. An hour that is promised is still there.
TEST(Retention, AnHourLivesLongerThanItIsPromised) {
  const SiteSettings settings{.time_zone = "UTC"};
  EXPECT_EQ(HoursKept(settings), std::chrono::hours(8 * 24 + 1));
  const int64_t now = MsOfDay(2026, 11, 22) + 5'000;
  EXPECT_LE(now - FirstKeptHour(settings, now), 8 * int64_t{86'400'000});
}

TEST(Retention, BrokenWordsAreNoSettings) {
  for (const char* line : {"UTC hours-kept-until=5", "UTC hours-kept-until=5/7", "UTC hours-kept-until=x/8",
                           "UTC hours-kept-until=9/8 hours-kept-until=9/9", "UTC days-kept-from=20261301"}) {
    EXPECT_FALSE(MakeSite("demo", ParseSettings(line)).ok()) << line;
  }
}

}  // namespace
}  // namespace viewcount
