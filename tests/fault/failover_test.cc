// Another redis-server becomes the master behind a TCP proxy, while connections to the old master stay open. viewcountd
// follows by itself, and every view is counted once.
#include <algorithm>

#include "tests/fault/fault_fixture.h"
#include "tests/support/redis_pair.h"

namespace viewcount {
namespace {

// The store is examined every 10 s.
constexpr std::chrono::seconds kNoticedWithin{20};

class FailoverTest : public FaultTest {
 protected:
  RedisProcess& redis() override { return pair_.master(); }
  std::string redis_url() const override { return url_; }
  void SetUp() override {
    FaultTest::SetUp();
    StartService();
  }
  void TearDown() override { EXPECT_EQ(service_->Stop(), 0) << service_->Log(); }

  RedisPair pair_{{"--appendonly", "yes", "--appendfsync", "everysec"}, seed_};
  const std::string url_ = pair_.proxy().url();
};

TEST_F(FailoverTest, PromotionsUnderLoadAreFollowed) {
  auto load = StartLoad();
  for (int i = 0; i < 3; ++i) {
    AwaitViews(50'000);
    Require(pair_.PromoteInOrder(), "the replica does not follow");
    // Views reach the new master within the flush interval and a reconnect, without CLIENT KILL.
    const uint64_t before = truth_.total();
    AwaitViews(20'000);
    RequireFlushed();
    EXPECT_GE(truth_.total(), before);
  }
  StopLoad(*load);
  ExpectExact();
}

TEST_F(FailoverTest, APromotionIsNoticedWhenIdle) {
  SendViews(50'000);
  RequireFlushed();
  Require(pair_.PromoteInOrder(), "the replica does not follow");
  // viewcountd has two connections, and the test has one.
  const auto clients = [](RedisProcess& server) {
    const std::string list = server.Command({"CLIENT", "LIST", "TYPE", "NORMAL"});
    return std::count(list.begin(), list.end(), '\n');
  };
  EXPECT_TRUE(Eventually([&] { return clients(pair_.replica()) == 1 && clients(pair_.master()) == 3; }, kNoticedWithin))
      << service_->Log();
  ExpectExact();
}

TEST_F(FailoverTest, ViewsThatOnlyTheOldMasterHadAreFlushedAgain) {
  SendViews(20'000);
  RequireFlushed();
  // From here on the replica receives nothing.
  pair_.replica().Command({"REPLICAOF", "NO", "ONE"});
  SendViews(50'000);
  RequireFlushed();
  pair_.Promote();
  EXPECT_TRUE(Eventually([&] { return CompareStored(redis(), truth_).none(); }, kNoticedWithin)) << service_->Log();
  ExpectExact();
}

}  // namespace
}  // namespace viewcount
