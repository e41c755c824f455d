// Tests a lane with its thread. The tests check when a batch is answered, and with which result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "service/base/status.h"
#include "tests/support/eventually.h"
#include "tests/unit/lane/lane_rig.h"

namespace viewcount {
namespace {

class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    lane_.ApplySite(rig_.site);
    lane_.Start();
  }
  ~LaneTest() override { gate_.Open(); }

  void Submit(AnsweredBatch& batch) {
    const absl::Status status = lane_.Submit(&batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  uint64_t Pending(const std::string& id, Window window = {}) { return rig_.Pending(id, window); }
  // Makes the lane wait in the sync of `batch`.
  void Block(AnsweredBatch& batch) {
    // The lane must have processed the site's settings before.
    ASSERT_TRUE(Eventually([&] { return rig_.ledger->FindSite(rig_.site->index) != nullptr; }));
    gate_.Shut();
    Submit(batch);
    ASSERT_TRUE(Eventually([&] { return gate_.Waited(); }));
  }

  LaneRig rig_;
  GatedDisk& gate_ = rig_.gate;
  Metrics& metrics_ = rig_.metrics;
  Lane& lane_ = *rig_.lane;
  const WriterId writer_ = RandomId<WriterId>();
};

TEST_F(LaneTest, ABatchIsAcknowledgedAsJournaled) {
  TestBatch batch({"a", "b", "a"});
  Submit(batch);
  const auto answer = batch.Wait();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(answer.result.accepted_views, 3u);
  EXPECT_FALSE(answer.result.duplicate);
  EXPECT_EQ(answer.result.durability, Durability::kJournaled);
  EXPECT_EQ(Pending("a"), 2u);
  EXPECT_EQ(metrics_.views_counted.Value(), 3);
  EXPECT_EQ(rig_.Journaled(), 1u);
}

TEST_F(LaneTest, WritersAreDedupedInSequence) {
  TestBatch first({"a"}), second({"a"}), again({"a"}), gap({"a"}), stranger({"a"});
  Submit(first.From(writer_, 1, 10));
  Submit(second.From(writer_, 11));
  Submit(again.From(writer_, 11));
  Submit(gap.From(writer_, 13));
  Submit(stranger.From(RandomId<WriterId>(), 5));
  EXPECT_EQ(first.Wait().result.last_sequence, 10u);
  EXPECT_EQ(second.Wait().result.last_sequence, 11u);
  const auto duplicate = again.Wait();
  EXPECT_TRUE(duplicate.status.ok());
  EXPECT_TRUE(duplicate.result.duplicate);
  EXPECT_EQ(duplicate.result.accepted_views, 0u);
  EXPECT_EQ(duplicate.result.last_sequence, 11u);
  const auto refused = gap.Wait();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status));
  EXPECT_EQ(ReasonOf(refused.status), "SEQUENCE_GAP");
  EXPECT_EQ(ReasonOf(stranger.Wait().status), "UNKNOWN_WRITER");
  EXPECT_EQ(Pending("a"), 2u);
  EXPECT_EQ(rig_.Journaled(), 2u);
  EXPECT_EQ(metrics_.views_counted.Value(), 2);
  EXPECT_EQ(metrics_.views_duplicate.Value(), 1);
  EXPECT_EQ(metrics_.Rejected(RejectReason::kSequence).Value(), 2);
  EXPECT_EQ(lane_.writers(), 1u);
}

TEST_F(LaneTest, NothingIsFoldedOrAcknowledgedBeforeItsSync) {
  TestBatch batch({"a"});
  Block(batch);
  EXPECT_FALSE(batch.answered());
  EXPECT_EQ(Pending("a"), 0u);
  gate_.Open();
  EXPECT_TRUE(batch.Wait().status.ok());
  EXPECT_EQ(Pending("a"), 1u);
}

TEST_F(LaneTest, ARetryOfABatchOnItsWayWaitsForTheOriginal) {
  TestBatch original({"a"}), retry({"a"}), retry_of_the_retry({"a"});
  Block(original.From(writer_, 1));
  Submit(retry.From(writer_, 1));
  Submit(retry_of_the_retry.From(writer_, 1));
  EXPECT_EQ(lane_.counters().waiting, 3u);
  EXPECT_FALSE(original.answered() || retry.answered());
  gate_.Open();
  EXPECT_FALSE(original.Wait().result.duplicate);
  for (TestBatch* later : {&retry, &retry_of_the_retry}) {
    const auto answer = later->Wait();
    EXPECT_TRUE(answer.status.ok());
    EXPECT_TRUE(answer.result.duplicate);
    EXPECT_EQ(answer.result.last_sequence, 1u);
  }
  EXPECT_EQ(Pending("a"), 1u);
}

TEST_F(LaneTest, AFullQueueRefusesAndRecovers) {
  TestBatch first({"a"});
  Block(first);
  std::vector<std::unique_ptr<TestBatch>> queued;
  for (size_t i = 0; i < limits::kLaneQueueBytesMax / limits::kRequestBytesMax; ++i) {
    queued.push_back(std::make_unique<TestBatch>(std::vector<std::string>{"a"}, limits::kRequestBytesMax));
    Submit(*queued.back());
  }
  EXPECT_EQ(lane_.queued_bytes(), limits::kLaneQueueBytesMax);
  TestBatch refused({"a"});
  const absl::Status status = lane_.Submit(&refused);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(status.GetPayload("type.googleapis.com/google.rpc.RetryInfo")) << status;
  gate_.Open();
  for (const auto& batch : queued) EXPECT_TRUE(batch->Wait().status.ok());
  EXPECT_FALSE(refused.answered());
  Submit(refused);
  EXPECT_TRUE(refused.Wait().status.ok());
  EXPECT_EQ(Pending("a"), 2u + queued.size());
}

// All batches and settings are in one group. The day of each view follows from the settings that precede it.
TEST_F(LaneTest, SettingsAreInOrderWithBatches) {
  constexpr int64_t kLateEvening = int64_t{498'718} * 3'600'000;
  TestBatch blocker({"x"}), before({"a"}), after({"a"}), back({"a"});
  for (TestBatch* batch : {&before, &after, &back}) batch->request.views[0].event_time_unix_ms = kLateEvening;
  Block(blocker);
  Submit(before);
  lane_.ApplySite(std::make_shared<const Site>(*MakeSite("demo", {"Asia/Ho_Chi_Minh"})));
  Submit(after);
  lane_.ApplySite(std::make_shared<const Site>(*MakeSite("demo", {"Asia/Tokyo"})));
  lane_.ApplySite(rig_.site);
  Submit(back);
  gate_.Open();
  EXPECT_TRUE(back.Wait().status.ok());
  EXPECT_EQ(Pending("a", {Window::Kind::kDay, 20261122}), 2u);
  EXPECT_EQ(Pending("a", {Window::Kind::kDay, 20261123}), 1u);
}

TEST_F(LaneTest, StopHandlesWhatIsQueuedAndRefusesTheRest) {
  TestBatch first({"a"});
  Block(first);
  std::vector<std::unique_ptr<TestBatch>> queued;
  for (int i = 0; i < 1'000; ++i) {
    queued.push_back(std::make_unique<TestBatch>(std::vector<std::string>{"a"}));
    Submit(*queued.back());
  }
  std::thread stop([&] { lane_.Stop(); });
  TestBatch refused({"a"});
  absl::Status status;
  std::vector<std::unique_ptr<TestBatch>> accepted;
  EXPECT_TRUE(Eventually([&] {
    accepted.push_back(std::make_unique<TestBatch>(std::vector<std::string>{"a"}));
    status = lane_.Submit(accepted.back().get());
    return !status.ok();
  }));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  accepted.pop_back();
  gate_.Open();
  stop.join();
  for (const auto& batch : queued) EXPECT_TRUE(batch->answered() && batch->Wait().status.ok());
  for (const auto& batch : accepted) EXPECT_TRUE(batch->answered());
  EXPECT_EQ(Pending("a"), 1u + queued.size() + accepted.size());
}

TEST_F(LaneTest, BotsAreCountedApart) {
  TestBatch batch({"a", "a"});
  batch.request.views[1].bot = true;
  batch.request.bot_view_count = 1;
  Submit(batch);
  EXPECT_TRUE(batch.Wait().status.ok());
  EXPECT_EQ(Pending("a"), 1u);
  EXPECT_EQ(Pending("a", {Window::Kind::kBots, 0}), 1u);
  EXPECT_EQ(metrics_.bot_views_counted.Value(), 1);
}

TEST_F(LaneTest, ALargeChunkIsToldOf) {
  std::atomic<int> told = 0;
  lane_.NotifyFlusher([&] { ++told; });
  int number = 0;
  const auto submit_large = [&] {
    std::vector<std::string> ids(5'000, std::string(limits::kArticleIdBytesMax, 'x'));
    for (std::string& id : ids) id.replace(0, 8, std::to_string(10'000'000 + number++));
    TestBatch batch(std::move(ids));
    Submit(batch);
    EXPECT_TRUE(batch.Wait().status.ok());
  };
  submit_large();
  EXPECT_EQ(told, 0);
  while (rig_.ledger->totals().bytes < limits::kChunkSealBytes) submit_large();
  EXPECT_GE(told, 1);
  lane_.NotifyFlusher(nullptr);
  const int before = told;
  submit_large();
  EXPECT_EQ(told, before);
}

TEST(LaneDeathTest, AFailedSyncEndsTheProcessBeforeAnyAcknowledgement) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        LaneRig rig;
        rig.lane->ApplySite(rig.site);
        rig.lane->Step();
        rig.gate.Fail(absl::InternalError("the disk is gone"));
        rig.lane->Start();
        TestBatch batch({"a"});
        if (rig.lane->Submit(&batch).ok()) (void)batch.Wait();
        std::_Exit(2);
      },
      ::testing::ExitedWithCode(EXIT_FAILURE), "");
}

}  // namespace
}  // namespace viewcount
