// Tests an unreliable connection between viewcountd and Redis. Every view is counted once, whatever commands or answers
// are lost.
#include <cstdio>
#include <optional>

#include "service/base/limits.h"
#include "tests/fault/fault_fixture.h"
#include "tests/support/faulty_proxy.h"

namespace viewcount {
namespace {

constexpr std::chrono::seconds kLoadFor{10};

class ProxyTest : public FaultTest {
 protected:
  void SetUp() override {
    proxy_.emplace(folder_.path() + "/proxy.sock", redis_.socket_path(), seed_);
    // Flushes are frequent, so that most faults hit a flush.
    ServiceProcess::Options options = ServiceOptions({}, "20ms");
    options.redis = proxy_->url();
    service_ = std::make_unique<ServiceProcess>(options);
    StartService();
  }
  void TearDown() override { EXPECT_EQ(service_->Stop(), 0) << service_->Log(); }

  // Ends all faults, and compares the counts with the truth.
  void CompareOnAGoodLine() {
    proxy_->SetFaults({});
    const FaultyProxy::Counts counts = proxy_->counts();
    std::printf("%d connections, %d cuts, %d delays, %d slices, %d swallowed answers\n", counts.connections,
                counts.cuts, counts.delays, counts.slices, counts.swallows);
    ExpectExact();
  }

  std::optional<FaultyProxy> proxy_;
};

TEST_F(ProxyTest, ABadLineLosesAndDoublesNothing) {
  auto load = StartLoad(100'000);
  proxy_->SetFaults({.cut = 0.005,
                     .delay = 0.02,
                     .delay_max = std::chrono::milliseconds(20),
                     .slice = 0.02,
                     .swallow = 0.005,
                     .silence_max = std::chrono::milliseconds(50)});
  std::this_thread::sleep_for(kLoadFor);
  StopLoad(*load);
  const FaultyProxy::Counts counts = proxy_->counts();
  EXPECT_GT(counts.cuts, 0);
  EXPECT_GT(counts.slices, 0);
  EXPECT_GT(counts.swallows, 0);
  CompareOnAGoodLine();
}

TEST_F(ProxyTest, CutsInQuickSuccessionAreSurvived) {
  auto load = StartLoad();
  proxy_->SetFaults({.cut = 0.15});
  AwaitViews(200'000);
  StopLoad(*load);
  CompareOnAGoodLine();
}

TEST_F(ProxyTest, AnswersSwallowedForLongerThanTheTimeoutCountOnce) {
  auto load = StartLoad();
  AwaitViews(50'000);
  proxy_->SwallowAnswers(true);
  std::this_thread::sleep_for(limits::kStoreCommandTimeout + std::chrono::seconds(2));
  proxy_->SwallowAnswers(false);
  AwaitViews(50'000);
  StopLoad(*load);
  CompareOnAGoodLine();
}

}  // namespace
}  // namespace viewcount
