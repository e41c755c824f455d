// The fixture of tests of whole programs: a data directory, a Redis, a viewcountd, and the truth of all load.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/comparison.h"
#include "tests/fault/load.h"
#include "tests/fault/truth.h"
#include "tests/support/append_only_file.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_process.h"
#include "tests/support/seed.h"
#include "tests/support/service_process.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

// The servers are children of the test's thread and end with it.
class FaultTest : public ::testing::Test {
 protected:
  static constexpr int kArticles = 20'000;

  // Articles' IDs have at least `id_bytes`.
  explicit FaultTest(size_t id_bytes = 0) : truth_(kArticles, id_bytes) {}

  // The Redis whose counts are compared, and the URL by which viewcountd connects to it.
  virtual RedisProcess& redis() { return redis_; }
  virtual std::string redis_url() const { return redis_.url(); }

  // Options for a service that uses this Redis.
  ServiceProcess::Options ServiceOptions(std::vector<std::string> flags = {},
                                         const std::string& flush_interval = "200ms") const {
    flags.insert(flags.end(), {"--flush-interval", flush_interval});
    return {.data_dir = folder_.path() + "/data", .redis = redis_url(), .flags = std::move(flags), .environment = {}};
  }

  void SetUp() override { service_ = std::make_unique<ServiceProcess>(ServiceOptions()); }

  // Ends the test if `holds` is false, because the following steps would only wait in vain.
  static void Require(bool holds, const std::string& otherwise) {
    if (!holds) throw std::runtime_error(otherwise);
  }

  void StartService() {
    service_->Start();
    RequireReady(*service_);
  }
  static void RequireReady(ServiceProcess& service) {
    if (service.WaitUntilReady()) return;
    const std::optional<int> code = service.WaitForEnd(std::chrono::milliseconds(0));
    Require(false, "viewcountd does not answer; " +
                       (code ? "exit code " + std::to_string(*code) : std::string("it runs")) + "\n" + service.Log());
  }

  // Begins to send views to the service.
  std::unique_ptr<Load> StartLoad(uint64_t views_per_second = 50'000, int writers = 4) {
    return std::make_unique<Load>(Load::Options{.server = service_->server(),
                                                .writers = writers,
                                                .views_per_second = views_per_second,
                                                .seed = seed_ + loads_++},
                                  truth_);
  }
  // Waits until this many more views were acknowledged.
  void AwaitViews(uint64_t views) {
    const uint64_t target = truth_.total() + views;
    Require(Eventually([&] { return truth_.total() >= target || service_->HasEnded(); }, std::chrono::seconds(60)) &&
                truth_.total() >= target,
            "too few views are acknowledged\n" + service_->Log());
  }
  void StopLoad(Load& load) {
    const Load::Outcome outcome = load.Stop(std::chrono::seconds(60));
    std::printf("load: %s\n", outcome.ToString().c_str());
    EXPECT_EQ(outcome.unacknowledged, 0u);
  }
  // Sends at least this many views, and returns when all of them are acknowledged.
  void SendViews(uint64_t views) {
    auto load = StartLoad();
    AwaitViews(views);
    StopLoad(*load);
  }

  // HoldRedis stops the process of Redis, so that nothing is flushed. ReleaseRedis lets it continue.
  void HoldRedis() { kill(redis().pid(), SIGSTOP); }
  void ReleaseRedis() { kill(redis().pid(), SIGCONT); }

  void RequireFlushed() { Require(FlushAll(service_->NewChannel()), "cannot flush\n" + service_->Log()); }

  // Checks that everything acknowledged is counted once: in answers, in Redis, and according to the audit.
  void ExpectExact() {
    // In this order: a flush waits until the store is known, once it is reached again.
    Require(ReachesStore(service_->NewChannel()), "Redis is not reached\n" + service_->Log());
    RequireFlushed();
    EXPECT_TRUE(SameEverywhere(service_->NewChannel(), redis(), truth_)) << service_->Log();
    EXPECT_TRUE(AuditIsClean(service_->server()));
  }

  const uint64_t seed_ = TestSeed();
  TemporaryDirectory folder_;
  RedisProcess redis_{{"--appendonly", "yes", "--appendfsync", "everysec"}};
  AppendOnlyFile append_only_file_{redis_.folder()};
  Truth truth_;
  std::unique_ptr<ServiceProcess> service_;

 private:
  uint64_t loads_ = 0;
};

}  // namespace viewcount
