// Tests when days are removed: late enough, only under a setting that lasts, and in spite of a day that cannot be.
#include "service/instance/day_remover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "service/base/store_thread.h"
#include "service/sites/retention.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Has days of the site "demo", of which one cannot be removed.
class FakeDays final : public DayStore {
 public:
  boost::asio::awaitable<absl::StatusOr<std::set<StoredDay>>> ListDaysBefore(const SiteDays& first_days) override {
    ++lists;
    std::set<StoredDay> found;
    for (const uint32_t day : days) {
      if (const auto first = first_days.find("demo"); first != first_days.end() && day < first->second) {
        found.insert({"demo", day});
      }
    }
    co_return found;
  }
  boost::asio::awaitable<absl::Status> RemoveDay(std::string_view, uint32_t day) override {
    if (before_removal) co_await before_removal();
    if (day == broken) co_return absl::DataLossError("broken");
    days.erase(day);
    co_return absl::OkStatus();
  }
  uint64_t generation() const override { return 1; }

  std::set<uint32_t> days;
  uint32_t broken = 0;
  int lists = 0;
  std::function<boost::asio::awaitable<void>()> before_removal;
};

class DayRemoverTest : public ::testing::Test {
 protected:
  DayRemoverTest() { PutKept(62); }
  ~DayRemoverTest() override { thread_.Drain(std::chrono::seconds(5)); }

  absl::Status Refresh() { return thread_.Spawn(remover_.Refresh()).get(); }
  void PutKept(uint32_t days) {
    const StoredSite site{"demo", {.time_zone = "UTC", .days_kept_days = days}};
    ASSERT_TRUE(thread_.Spawn(store_.WriteSite(site)).get().ok());
    ASSERT_TRUE(thread_.Spawn(keeper_.Refresh()).get().ok());
  }
  uint32_t DayAgo(int days) const { return DayNumber(sites_.Find("demo")->days.DayAt(clock_.UnixMillis()) - days); }
  // Lets the setting be known for long enough.
  void Settle() {
    ASSERT_TRUE(Refresh().ok());
    clock_.Advance(kSettingsKnownAfter + std::chrono::seconds(1));
  }
  // Goes to a moment of the next day.
  void GoPastMidnight(std::chrono::milliseconds after) {
    constexpr int64_t kDayOfMs = 86'400'000;
    clock_.Advance(std::chrono::milliseconds(kDayOfMs - clock_.UnixMillis() % kDayOfMs) + after);
  }

  StoreThread thread_;
  MemoryStore store_;
  SiteDirectory sites_;
  ManualClock clock_;
  SiteSync keeper_{thread_.executor(), store_, sites_, clock_};
  FakeDays days_;
  DayRemover remover_{thread_.executor(), {days_, keeper_, sites_, clock_}};
};

TEST_F(DayRemoverTest, ADayIsRemovedAnHourAfterItIsKeptNoMore) {
  GoPastMidnight(std::chrono::hours(2));
  Settle();
  days_.days = {DayAgo(63), DayAgo(62), DayAgo(61)};
  ASSERT_TRUE(Refresh().ok());
  EXPECT_THAT(days_.days, ElementsAre(DayAgo(61)));
  GoPastMidnight(std::chrono::minutes(59));
  ASSERT_TRUE(Refresh().ok());
  EXPECT_THAT(days_.days, ElementsAre(DayAgo(62)));
  clock_.Advance(std::chrono::minutes(1));
  ASSERT_TRUE(Refresh().ok());
  EXPECT_THAT(days_.days, IsEmpty());
  const int lists = days_.lists;
  ASSERT_TRUE(Refresh().ok());
  EXPECT_EQ(days_.lists, lists) << "nothing was due";
}

TEST_F(DayRemoverTest, ASettingCountsWhenItHasBeenKnownForAWhile) {
  GoPastMidnight(std::chrono::hours(2));
  days_.days = {DayAgo(100), DayAgo(99)};
  PutKept(200);
  Settle();
  PutKept(62);
  ASSERT_TRUE(Refresh().ok());
  clock_.Advance(kSettingsKnownAfter);
  ASSERT_TRUE(Refresh().ok());
  EXPECT_EQ(days_.days.size(), 2u);
  PutKept(200);
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(Refresh().ok());
  EXPECT_EQ(days_.days.size(), 2u) << "the setting was taken back in time";
  PutKept(62);
  Settle();
  // Another instance changes the setting during a removal.
  const StoredSite longer{"demo", {.time_zone = "UTC", .days_kept_days = 200}};
  days_.before_removal = [&]() -> boost::asio::awaitable<void> {
    EXPECT_TRUE((co_await store_.WriteSite(longer)).ok());
  };
  ASSERT_TRUE(Refresh().ok());
  EXPECT_THAT(days_.days, ElementsAre(DayAgo(99)));
}

TEST_F(DayRemoverTest, ADayThatCannotBeRemovedHoldsUpNoOtherOne) {
  GoPastMidnight(std::chrono::hours(2));
  Settle();
  days_.days = {DayAgo(100), DayAgo(99), DayAgo(98)};
  days_.broken = DayAgo(99);
  EXPECT_EQ(Refresh().message(), "broken");
  EXPECT_THAT(days_.days, ElementsAre(days_.broken));
  clock_.Advance(std::chrono::minutes(59));
  EXPECT_TRUE(Refresh().ok());
  EXPECT_EQ(days_.lists, 1);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(Refresh().message(), "broken");
  days_.broken = 0;
  clock_.Advance(std::chrono::hours(1));
  EXPECT_TRUE(Refresh().ok());
  EXPECT_THAT(days_.days, IsEmpty());
}

}  // namespace
}  // namespace viewcount
