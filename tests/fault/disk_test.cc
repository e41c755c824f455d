// Tests disks that fail, are slow or are full.
#include <grpcpp/create_channel.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fault/burst.h"
#include "tests/fault/fault_fixture.h"
#include "tests/support/tmpfs_mount.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {

using std::chrono::seconds;

constexpr char kJournals[] = "BAD_SYNC_FILES=*/lanes/*.journal";
// Makes messages of 4 MiB: 10,000 views of articles with long IDs.
constexpr size_t kLongIdBytes = 400;

std::string BadSync() { return "LD_PRELOAD=" BAD_SYNC; }

class SyncTest : public FaultTest {};

TEST_F(SyncTest, NothingIsAcknowledgedOnceASyncHasFailed) {
  const std::string report = folder_.path() + "/failed";
  std::unique_ptr<Load> load;
  uintmax_t failures = 0;
  for (const int fail_at : {150, 50, 80}) {
    service_->SetEnvironment(
        {BadSync(), kJournals, "BAD_SYNC_FAIL_AT=" + std::to_string(fail_at), "BAD_SYNC_REPORT=" + report});
    service_->Start();
    if (load == nullptr) load = StartLoad();
    const std::optional<int> code = service_->WaitForEnd(seconds(30));
    ASSERT_TRUE(std::filesystem::exists(report)) << "no journal was synced " << fail_at << " times";
    EXPECT_EQ(std::filesystem::file_size(report), ++failures);
    ASSERT_TRUE(code.has_value()) << "it went on, or was killed\n" << service_->Log();
    EXPECT_NE(*code, 0);
  }
  // The load of the loop goes on. Its writers retry batches without an answer. Each failed sync has dropped the
  // unsynced bytes.
  service_->SetEnvironment({});
  StartService();
  AwaitViews(10'000);
  StopLoad(*load);
  ExpectExact();
}

class SlowSyncTest : public FaultTest {
 protected:
  SlowSyncTest() : FaultTest(kLongIdBytes) {}
};

TEST_F(SlowSyncTest, WhatWaitsForASlowSyncIsBoundedAndNotLost) {
  constexpr uint64_t kMemoryMax = uint64_t{768} << 20;
  service_->SetEnvironment(
      {BadSync(), kJournals, "BAD_SYNC_SLEEP_AT=10", "BAD_SYNC_SLEEP_COUNT=5", "BAD_SYNC_SLEEP_MS=2000"});
  StartService();
  const BurstOutcome burst =
      SendBurst({.server = service_->server(), .batches = 80, .at_once = 40, .seed = seed_}, truth_);
  const uint64_t memory = service_->Memory("VmHWM");
  std::printf("%llu batches, %llu refusals, peak memory %llu MiB; %s\n", static_cast<unsigned long long>(burst.batches),
              static_cast<unsigned long long>(burst.refusals), static_cast<unsigned long long>(memory >> 20),
              burst.last_error.c_str());
  EXPECT_EQ(burst.unacknowledged, 0u) << burst.last_error;
  EXPECT_EQ(burst.refusals_without_retry_info, 0u);
  EXPECT_LT(memory, kMemoryMax);
  // Acknowledged views survive, whether they were sent before or after the slow syncs.
  service_->Kill();
  service_->SetEnvironment({});
  StartService();
  ExpectExact();
}

class FullDiskTest : public FaultTest {
 protected:
  FullDiskTest() : FaultTest(kLongIdBytes) {}

  void StartOn(std::vector<std::string> flags) {
    service_ = std::make_unique<ServiceProcess>(ServiceOptions(std::move(flags)));
    StartService();
    // The counts that are read here can be answered later from the cache.
    SendViews(20'000);
    RequireFlushed();
    v1::GetCountsResponse response;
    Require(GetCounts(service_->NewChannel(), truth_, 0, 100, response).ok(), "no counts");
  }

  // Sends until the disk or budget is full, which takes about 40 batches.
  void Fill() {
    const BurstOutcome burst = SendBurst({.server = service_->server(),
                                          .batches = 400,
                                          .at_once = 4,
                                          .seed = seed_,
                                          .patience = seconds(60),
                                          .stop_at_refusal = true},
                                         truth_);
    std::printf("%llu batches until it was full: %s\n", static_cast<unsigned long long>(burst.batches),
                burst.last_error.c_str());
    EXPECT_GT(burst.refusals, 0u);
    EXPECT_EQ(burst.refusals_without_retry_info, 0u);
    EXPECT_EQ(burst.unacknowledged, 0u);
  }

  // Checks that counts that were read before are still answered, each with at least its acknowledged views.
  void ExpectReads() {
    v1::GetCountsRequest request;
    request.set_site("demo");
    for (int article = 0; article < 100; ++article) request.add_article_ids(truth_.IdOf(article));
    v1::GetCountsResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    const grpc::Status status =
        v1::QueryService::NewStub(service_->NewChannel())->GetCounts(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(response.counts_size(), 100);
    for (int article = 0; article < 100; ++article) {
      EXPECT_GE(response.counts(article).views(), truth_.acknowledged(article)) << truth_.IdOf(article);
    }
  }

  // Checks that the service accepts views again without a restart.
  void ExpectRecovery() { SendViews(20'000); }

  // Must be destroyed before the folder that contains it.
  std::unique_ptr<TmpfsMount> mount_;
};

TEST_F(FullDiskTest, AnUsedUpBudgetRefusesUntilRedisIsBack) {
  StartOn({"--journal-budget", "128MiB", "--journal-retention", "1s"});
  HoldRedis();
  Fill();
  ExpectReads();
  ReleaseRedis();
  ExpectRecovery();
  ExpectExact();
}

TEST_F(FullDiskTest, AFullDiskRefusesUntilRedisIsBack) {
  mount_ = TmpfsMount::Make(folder_.path() + "/data", "160m");
  ASSERT_NE(mount_, nullptr);
  StartOn({"--journal-retention", "1s"});
  HoldRedis();
  Fill();
  ExpectReads();
  ReleaseRedis();
  ExpectRecovery();
  ExpectExact();
  service_->Kill();
}

TEST_F(FullDiskTest, AFullDiskRefusesUntilRoomIsMade) {
  mount_ = TmpfsMount::Make(folder_.path() + "/data", "400m");
  ASSERT_NE(mount_, nullptr);
  const std::string filler = folder_.path() + "/data/filler";
  std::ofstream(filler) << std::string(240 << 20, 'x');
  StartOn({"--journal-retention", "1s"});
  HoldRedis();
  Fill();
  ExpectReads();
  std::filesystem::remove(filler);
  // Redis is still stopped.
  ExpectRecovery();
  // The views on the disk that was full survive the process.
  service_->Kill();
  ReleaseRedis();
  StartService();
  ExpectExact();
  service_->Kill();
}

}  // namespace
}  // namespace viewcount
