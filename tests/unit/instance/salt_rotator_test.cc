// Each day of each site must have one salt, in time and shared by all instances. A salt that is no longer of use must
// not exist anywhere.
#include "service/instance/salt_rotator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/base/store_thread.h"
#include "service/store/salt_store.h"
#include "tests/support/eventually.h"
#include "tests/support/log_capture.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// The clock begins at 22:00 UTC on 22 November. In Hanoi that is 5:00 on 23 November.
constexpr uint32_t kToday = 20261122;
constexpr uint32_t kTomorrow = 20261123;
constexpr auto kToMidnight = 2h;
constexpr char kHanoi[] = "Asia/Ho_Chi_Minh";

// Passes calls to another store, which must outlive it. Runs on the store's executor.
class FaultySaltStore final : public SaltStore {
 public:
  // Calls `fault` before a site's salt is obtained, and with an empty name before salts are removed. If it returns an
  // error, that error is the answer.
  FaultySaltStore(SaltStore& store, std::function<absl::Status(std::string_view site)> fault)
      : store_(store), fault_(std::move(fault)) {}

  boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                const ViewerSalt& fresh) override {
    const absl::Status status = fault_(site);
    if (!status.ok()) co_return status;
    co_return co_await store_.ObtainSalt(site, day, fresh);
  }
  boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) override {
    absl::Status status = fault_("");
    if (status.ok()) status = co_await store_.RemoveSalts(first_days);
    co_return status;
  }
  uint64_t generation() const override { return store_.generation(); }

 private:
  SaltStore& store_;
  const std::function<absl::Status(std::string_view site)> fault_;
};

// Represents one process, with its knowledge of sites and salts and its connection to the store.
class Instance {
 public:
  Instance(StoreThread& thread, SaltStore& store, const Clock& clock)
      : thread_(thread),
        clock_(clock),
        faulty_(store, [this](std::string_view site) { return Answer(site); }),
        keeper_(thread.executor(), {faulty_, clock, salts_}) {
    sites_.Listen(keeper_);
  }

  void Put(const std::string& name, const std::string& zone = "UTC") {
    ASSERT_TRUE(sites_.Put(*MakeSite(name, {zone})).ok());
  }
  absl::Status Refresh() { return thread_.Spawn(keeper_.Refresh()).get(); }
  ViewerSalts::Pair Salts(const std::string& site) { return salts_.At(*sites_.Find(site), clock_.UnixMillis()); }
  ViewerSalt Salt(const std::string& site, uint32_t day) { return salts_.Of(*sites_.Find(site), day); }
  void SetAway(bool away) { away_ = away; }
  // Makes every request for this site's salt fail.
  void Break(const std::string& site) { broken_ = site; }
  // Returns how many commands the store has received since the last call.
  int Asked() { return std::exchange(asked_, 0); }
  SaltRotator& keeper() { return keeper_; }

 private:
  absl::Status Answer(std::string_view site) {
    ++asked_;
    if (away_) return absl::DeadlineExceededError("away");
    if (!site.empty() && site == broken_) return absl::DataLossError("no salt");
    return absl::OkStatus();
  }

  StoreThread& thread_;
  const Clock& clock_;
  bool away_ = false;
  std::string broken_;
  int asked_ = 0;
  FaultySaltStore faulty_;
  SiteDirectory sites_;
  ViewerSalts salts_;
  SaltRotator keeper_;
};

class SaltRotatorTest : public ::testing::Test {
 protected:
  ~SaltRotatorTest() override { thread_.Drain(5s); }

  void Refresh() {
    const auto status = instance_.Refresh();
    ASSERT_TRUE(status.ok()) << status;
  }
  // Returns the days for which the store has a salt.
  std::vector<uint32_t> Stored(const std::string& site = "demo") {
    std::vector<uint32_t> days;
    for (const auto& [key, salt] : store_.salts()) {
      if (key.first == site) days.push_back(key.second);
    }
    return days;
  }
  ViewerSalt StoredSalt(uint32_t day) { return store_.salts().at({"demo", day}); }

  StoreThread thread_;
  MemoryStore store_;
  ManualClock clock_;
  Instance instance_{thread_, store_, clock_};
};

TEST_F(SaltRotatorTest, EverySiteHasOneOfItsPresentDay) {
  instance_.Put("demo");
  instance_.Put("portal", kHanoi);
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kToday));
  EXPECT_THAT(Stored("portal"), ElementsAre(kTomorrow)) << "there the day has begun";
  EXPECT_EQ(instance_.Salts("demo").present, StoredSalt(kToday));
  EXPECT_FALSE(instance_.Salts("portal").present.IsNone());
  EXPECT_NE(instance_.Salts("portal").present, instance_.Salts("demo").present);
  EXPECT_TRUE(instance_.Salts("demo").before.IsNone());
}

TEST_F(SaltRotatorTest, ANewSiteHasItsOwnAtTheNextLook) {
  instance_.Put("demo");
  Refresh();
  instance_.Put("new");
  EXPECT_TRUE(instance_.Salts("new").present.IsNone());
  Refresh();
  EXPECT_FALSE(instance_.Salts("new").present.IsNone());
}

TEST_F(SaltRotatorTest, ASiteThatMovesHasOneOfItsNewDay) {
  instance_.Put("demo");
  Refresh();
  instance_.Put("demo", kHanoi);
  EXPECT_TRUE(instance_.Salts("demo").present.IsNone());
  Refresh();
  EXPECT_EQ(instance_.Salts("demo").present, StoredSalt(kTomorrow));
  EXPECT_THAT(Stored(), ElementsAre(kTomorrow));
}

TEST_F(SaltRotatorTest, NothingIsAskedWhileNothingIsDue) {
  instance_.Put("demo");
  Refresh();
  EXPECT_EQ(instance_.Asked(), 2) << "one salt, and what may be left of earlier days";
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(1min);
    Refresh();
  }
  EXPECT_EQ(instance_.Asked(), 0);
}

TEST_F(SaltRotatorTest, TomorrowsIsThereTenMinutesAhead) {
  instance_.Put("demo");
  Refresh();
  clock_.Advance(kToMidnight - limits::kSaltAhead - 1ms);
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kToday));
  clock_.Advance(1ms);
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kToday, kTomorrow));
  const ViewerSalt today = StoredSalt(kToday), tomorrow = StoredSalt(kTomorrow);
  EXPECT_EQ(instance_.Salts("demo").present, today);
  EXPECT_TRUE(instance_.Salts("demo").before.IsNone());
  clock_.Advance(limits::kSaltAhead);
  EXPECT_EQ(instance_.Salts("demo").present, tomorrow);
  EXPECT_EQ(instance_.Salts("demo").before, today);
}

TEST_F(SaltRotatorTest, YesterdaysIsNowhereAfterHalfAnHour) {
  instance_.Put("demo");
  Refresh();
  clock_.Advance(kToMidnight);
  Refresh();
  clock_.Advance(limits::kVisitPause - 1ms);
  Refresh();
  EXPECT_FALSE(instance_.Salts("demo").before.IsNone());
  EXPECT_THAT(Stored(), ElementsAre(kToday, kTomorrow));
  clock_.Advance(1ms);
  EXPECT_TRUE(instance_.Salts("demo").before.IsNone());
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kTomorrow));
  EXPECT_TRUE(instance_.Salt("demo", kToday).IsNone());
}

TEST_F(SaltRotatorTest, WhatWasLeftByThoseBeforeIsRemovedAtTheStart) {
  for (const uint32_t day : {20261018u, 20261120u, 20261121u, 20261123u}) {
    ASSERT_TRUE(thread_.Spawn(store_.ObtainSalt("demo", day, RandomId<ViewerSalt>())).get().ok());
  }
  instance_.Put("demo");
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kToday, kTomorrow));
}

TEST_F(SaltRotatorTest, AStartSoonAfterMidnightTakesUpYesterdays) {
  instance_.Put("demo");
  Refresh();
  const ViewerSalt yesterday = StoredSalt(kToday);
  clock_.Advance(kToMidnight + 10min);
  Instance restarted(thread_, store_, clock_);
  restarted.Put("demo");
  ASSERT_TRUE(restarted.Refresh().ok());
  EXPECT_EQ(restarted.Salts("demo").before, yesterday);
  EXPECT_EQ(restarted.Salts("demo").present, StoredSalt(kTomorrow));
}

TEST_F(SaltRotatorTest, InstancesShareThem) {
  Instance other(thread_, store_, clock_);
  for (Instance* instance : {&instance_, &other}) {
    instance->Put("demo");
    ASSERT_TRUE(instance->Refresh().ok());
  }
  EXPECT_EQ(other.Salts("demo").present, instance_.Salts("demo").present);
  for (int minute = 0; minute < 200; ++minute) {
    clock_.Advance(1min);
    for (Instance* instance : {&instance_, &other}) ASSERT_TRUE(instance->Refresh().ok());
    ASSERT_EQ(other.Salts("demo").present, instance_.Salts("demo").present);
    ASSERT_EQ(other.Salts("demo").before, instance_.Salts("demo").before);
    ASSERT_FALSE(other.Salts("demo").present.IsNone());
  }
  EXPECT_THAT(Stored(), ElementsAre(kTomorrow));
}

TEST_F(SaltRotatorTest, AStoreThatIsAwayForMinutesAtMidnightIsNotMissed) {
  instance_.Put("demo");
  Refresh();
  clock_.Advance(kToMidnight - limits::kSaltAhead);
  Refresh();
  instance_.SetAway(true);
  clock_.Advance(limits::kSaltAhead + 5min);
  EXPECT_TRUE(instance_.Refresh().ok()) << "nothing is due";
  EXPECT_FALSE(instance_.Salts("demo").present.IsNone());
  EXPECT_FALSE(instance_.Salts("demo").before.IsNone());
}

TEST_F(SaltRotatorTest, WithoutAStoreAtMidnightNobodyIsKnownUntilItIsBack) {
  instance_.Put("demo");
  Refresh();
  instance_.SetAway(true);
  clock_.Advance(kToMidnight);
  EXPECT_TRUE(absl::IsDeadlineExceeded(instance_.Refresh()));
  EXPECT_TRUE(instance_.Salts("demo").present.IsNone());
  EXPECT_FALSE(instance_.Salts("demo").before.IsNone());
  clock_.Advance(limits::kVisitPause);
  EXPECT_TRUE(absl::IsDeadlineExceeded(instance_.Refresh()));
  EXPECT_TRUE(instance_.Salt("demo", kToday).IsNone()) << "of no use, and gone though the store is away";
  instance_.SetAway(false);
  Refresh();
  EXPECT_EQ(instance_.Salts("demo").present, StoredSalt(kTomorrow));
  EXPECT_THAT(Stored(), ElementsAre(kTomorrow));
}

TEST_F(SaltRotatorTest, WhatTheStoreLostIsWrittenAgain) {
  instance_.Put("demo");
  Refresh();
  const ViewerSalt salt = instance_.Salts("demo").present;
  store_.Empty();
  Refresh();
  EXPECT_EQ(StoredSalt(kToday), salt);
  EXPECT_EQ(instance_.Salts("demo").present, salt);
}

TEST_F(SaltRotatorTest, WhatAnotherInstanceWroteMeanwhileIsTakenOver) {
  instance_.Put("demo");
  Refresh();
  store_.Empty();
  Instance other(thread_, store_, clock_);
  other.Put("demo");
  ASSERT_TRUE(other.Refresh().ok());
  EXPECT_NE(other.Salts("demo").present, instance_.Salts("demo").present);
  Refresh();
  EXPECT_EQ(other.Salts("demo").present, instance_.Salts("demo").present);
}

TEST_F(SaltRotatorTest, WhatARollbackBroughtBackIsRemovedAgain) {
  instance_.Put("demo");
  Refresh();
  clock_.Advance(kToMidnight);
  Refresh();
  clock_.Advance(limits::kVisitPause);
  Refresh();
  ASSERT_THAT(Stored(), ElementsAre(kTomorrow));
  ASSERT_EQ(store_.Rollback(0, 1), 1u);
  ASSERT_THAT(Stored(), ElementsAre(kToday, kTomorrow));
  Refresh();
  EXPECT_THAT(Stored(), ElementsAre(kTomorrow));
}

TEST_F(SaltRotatorTest, AClockThatWentBackHasItsDaysSalt) {
  instance_.Put("demo");
  Refresh();
  clock_.Advance(kToMidnight + 1h);
  Refresh();
  clock_.SetWallError(-2h);
  Refresh();
  EXPECT_EQ(instance_.Salts("demo").present, StoredSalt(kToday));
}

TEST_F(SaltRotatorTest, WhatNobodyCanUseHoldsUpNoOtherSite) {
  LogCapture log;
  instance_.Put("broken");
  instance_.Put("demo");
  instance_.Break("broken");
  Refresh();
  EXPECT_FALSE(instance_.Salts("demo").present.IsNone());
  EXPECT_TRUE(instance_.Salts("broken").present.IsNone());
  EXPECT_THAT(log.text(), HasSubstr("viewers are not distinguished everywhere, trying again in a minute: no salt"));
  instance_.Asked();
  instance_.Break("");
  clock_.Advance(limits::kSaltRetryInterval - 1ms);
  Refresh();
  EXPECT_EQ(instance_.Asked(), 0);
  clock_.Advance(1ms);
  Refresh();
  EXPECT_FALSE(instance_.Salts("broken").present.IsNone());
}

TEST_F(SaltRotatorTest, RunsUntilItIsStopped) {
  instance_.Put("demo");
  auto ended = thread_.Spawn([](SaltRotator& keeper) -> boost::asio::awaitable<bool> {
    co_await keeper.Run();
    co_return true;
  }(instance_.keeper()));
  EXPECT_TRUE(Eventually([&] { return !instance_.Salts("demo").present.IsNone(); }));
  thread_
      .Spawn([](SaltRotator& keeper) -> boost::asio::awaitable<bool> {
        keeper.Stop();
        co_return true;
      }(instance_.keeper()))
      .get();
  ASSERT_EQ(ended.wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace viewcount
