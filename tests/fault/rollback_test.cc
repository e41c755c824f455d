// Redis goes back in time, to an old file or to an empty state. The journal brings it up to date again while viewcountd
// runs.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fault/fault_fixture.h"
#include "tests/fault/journal_files.h"

namespace viewcount {
namespace {

using std::chrono::seconds;

// An idle service examines Redis every 10 s.
constexpr seconds kNoticedWithin{30};
constexpr seconds kExactWithin{15};

class RollbackTest : public FaultTest {
 protected:
  void SetUp() override {
    FaultTest::SetUp();
    StartService();
    SendViews(100'000);
    RequireFlushed();
  }
  void TearDown() override { EXPECT_FALSE(service_->HasEnded()) << service_->Log(); }

  std::string copy() const { return folder_.path() + "/old"; }
  void SaveRedis() {
    redis_.WaitUntilWritten();
    append_only_file_.Save(copy());
  }
  void RollRedisBack() {
    redis_.Kill();
    append_only_file_.Restore(copy());
    redis_.Start();
  }

  // Does not call viewcountd, which must notice the change by itself.
  void ExpectStoredWithin(seconds wait) {
    EXPECT_TRUE(Eventually([&] { return CompareStored(redis_, truth_).none(); }, wait))
        << CompareStored(redis_, truth_).ToString() << "\n"
        << service_->Log();
  }
  void ExpectAnswersWithin(seconds wait) {
    Difference difference;
    EXPECT_TRUE(Eventually([&] { return (difference = CompareAnswers(service_->NewChannel(), truth_)).none(); }, wait))
        << difference.ToString() << "\n"
        << service_->Log();
  }
};

TEST_F(RollbackTest, AnOldFileUnderLoadIsBroughtUpToDate) {
  SaveRedis();
  auto load = StartLoad();
  AwaitViews(100'000);
  RequireFlushed();
  RollRedisBack();
  AwaitViews(50'000);
  StopLoad(*load);
  ExpectAnswersWithin(kExactWithin);
  ExpectExact();
}

TEST_F(RollbackTest, TwiceTheSameOldFileIsBroughtUpToDate) {
  SaveRedis();
  auto load = StartLoad();
  for (int i = 0; i < 2; ++i) {
    AwaitViews(50'000);
    RollRedisBack();
  }
  AwaitViews(50'000);
  StopLoad(*load);
  ExpectAnswersWithin(kExactWithin);
  ExpectExact();
}

TEST_F(RollbackTest, AnOldFileIsNoticedWhenIdle) {
  SaveRedis();
  SendViews(100'000);
  RequireFlushed();
  RollRedisBack();
  ExpectStoredWithin(kNoticedWithin);
  ExpectExact();
}

TEST_F(RollbackTest, AnEmptyRedisIsFilledAgainUnderLoad) {
  auto load = StartLoad();
  AwaitViews(50'000);
  redis_.Command({"FLUSHALL"});
  AwaitViews(50'000);
  StopLoad(*load);
  ExpectStoredWithin(kNoticedWithin);
  ExpectExact();
}

// Proves that an empty Redis is noticed although its connections stay open, by examining it.
TEST_F(RollbackTest, AnEmptyRedisIsNoticedWhenIdle) {
  redis_.Command({"FLUSHALL"});
  ExpectStoredWithin(kNoticedWithin);
  ExpectExact();
}

// Proves that keys without counts are restored too. The next instance then joins the data set instead of beginning
// another.
TEST_F(RollbackTest, AnEmptyRedisGetsItsIdentityAndSaltsBack) {
  const std::string data_set = redis_.Command({"HGET", "vc:meta", "data_set"});
  const std::string salts = redis_.Command({"HGETALL", "vc:salts"});
  ASSERT_FALSE(salts.empty());
  redis_.Command({"FLUSHALL"});
  const auto restored = [&] {
    return redis_.Command({"HGET", "vc:meta", "data_set"}) == data_set &&
           redis_.Command({"HGETALL", "vc:salts"}) == salts;
  };
  EXPECT_TRUE(Eventually(restored, kNoticedWithin)) << service_->Log();
  EXPECT_EQ(redis_.Command({"HEXISTS", "vc:sites", "demo"}), "1");
  ServiceProcess::Options options = ServiceOptions();
  options.data_dir = folder_.path() + "/second";
  ServiceProcess second(options);
  second.Start();
  RequireReady(second);
  EXPECT_EQ(redis_.Command({"HGET", "vc:meta", "data_set"}), data_set);
  EXPECT_EQ(second.Stop(), 0) << second.Log();
  ExpectStoredWithin(kNoticedWithin);
  ExpectExact();
}

TEST_F(RollbackTest, ARollbackWhileViewcountdIsDownIsBroughtUpToDate) {
  SaveRedis();
  SendViews(100'000);
  RequireFlushed();
  service_->Kill();
  RollRedisBack();
  StartService();
  ExpectAnswersWithin(kExactWithin);
  ExpectExact();
}

}  // namespace
}  // namespace viewcount
