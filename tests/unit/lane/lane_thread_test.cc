// A lane with its thread: who is answered when, and with what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/lane/lane.h"
#include "tests/support/eventually.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

constexpr Window kAll{Window::Kind::kAllTime, 0};

// Syncs only while its gate is open.
class GatedJournal final : public Journal {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    bool waiting = false;
    absl::Status status;
    std::vector<std::string> appended;

    void Open() { Set(true); }
    void Shut() { Set(false); }
    // Whether the lane stands before it.
    bool Waited() {
      std::lock_guard lock(mutex);
      return waiting;
    }

   private:
    void Set(bool to) {
      std::lock_guard lock(mutex);
      open = to;
      changed.notify_all();
    }
  };
  explicit GatedJournal(Gate& gate) : gate_(gate) {}

  Position Append(int64_t, std::string_view request) override {
    std::lock_guard lock(gate_.mutex);
    gate_.appended.emplace_back(request.substr(0, 8));
    return Position{end_.value += request.size()};
  }
  absl::Status Sync() override {
    std::unique_lock lock(gate_.mutex);
    gate_.waiting = true;
    gate_.changed.wait(lock, [&] { return gate_.open; });
    gate_.waiting = false;
    return gate_.status;
  }
  Durability durability() const override { return Durability::kJournaled; }

 private:
  Gate& gate_;
  Position end_;
};

class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    lane_.ApplySite(site_);
    lane_.Start();
  }
  ~LaneTest() override { gate_.Open(); }

  void Submit(TestBatch& batch) {
    const absl::Status status = lane_.Submit(&batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  uint64_t Pending(const std::string& id, Window window = kAll) {
    return ledger_.HoldStill().Pending(Cursor(), *site_, ArticleHash(site_->seed, id), id, window);
  }
  // Has the lane wait in a sync with `batch`.
  void Block(TestBatch& batch) {
    gate_.Shut();
    Submit(batch);
    ASSERT_TRUE(Eventually([&] { return gate_.Waited(); }));
  }

  const SystemClock clock_;
  Metrics metrics_;
  GatedJournal::Gate gate_;
  Ledger ledger_{RandomId<LaneId>()};
  const std::shared_ptr<const Site> site_ = std::make_shared<const Site>(*MakeSite("demo", ""));
  Lane lane_{std::make_unique<GatedJournal>(gate_), ledger_, clock_, metrics_};
  const WriterId writer_ = RandomId<WriterId>();
};

TEST_F(LaneTest, ABatchIsAcknowledgedWithWhatItsJournalGuarantees) {
  TestBatch batch({"a", "b", "a"});
  Submit(batch);
  const auto answer = batch.Wait();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(answer.result.accepted_views, 3u);
  EXPECT_FALSE(answer.result.duplicate);
  EXPECT_EQ(answer.result.durability, Durability::kJournaled);
  EXPECT_EQ(Pending("a"), 2u);
  EXPECT_EQ(metrics_.views_counted.Value(), 3);
  EXPECT_EQ(gate_.appended.size(), 1u);
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
  EXPECT_EQ(gate_.appended.size(), 2u);
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
  EXPECT_EQ(lane_.queued_views(), 2u);
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

// All of it in one group: the day of each view follows from the settings before it.
TEST_F(LaneTest, SettingsAreInOrderWithBatches) {
  constexpr int64_t kLateEvening = int64_t{498'718} * 3'600'000;
  TestBatch blocker({"x"}), before({"a"}), after({"a"}), back({"a"});
  for (TestBatch* batch : {&before, &after, &back}) batch->request.views[0].event_time_unix_ms = kLateEvening;
  Block(blocker);
  Submit(before);
  lane_.ApplySite(std::make_shared<const Site>(*MakeSite("demo", "Asia/Ho_Chi_Minh")));
  Submit(after);
  lane_.ApplySite(std::make_shared<const Site>(*MakeSite("demo", "Asia/Tokyo")));
  lane_.ApplySite(site_);
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
  Submit(batch);
  EXPECT_TRUE(batch.Wait().status.ok());
  EXPECT_EQ(Pending("a"), 1u);
  EXPECT_EQ(Pending("a", {Window::Kind::kBots, 0}), 1u);
  EXPECT_EQ(metrics_.bot_views_counted.Value(), 1);
}

TEST_F(LaneTest, ALargeChunkIsToldOf) {
  std::atomic<int> told = 0;
  lane_.NotifyLargeChunk([&] { ++told; });
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
  while (ledger_.totals().bytes < limits::kChunkSealBytes) submit_large();
  EXPECT_GE(told, 1);
  lane_.NotifyLargeChunk(nullptr);
  const int before = told;
  submit_large();
  EXPECT_EQ(told, before);
}

TEST(LaneDeathTest, AFailedSyncEndsTheProcessBeforeAnyAcknowledgement) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const SystemClock clock;
        Metrics metrics;
        GatedJournal::Gate gate;
        gate.status = absl::InternalError("the disk is gone");
        Ledger ledger(RandomId<LaneId>());
        Lane lane(std::make_unique<GatedJournal>(gate), ledger, clock, metrics);
        lane.ApplySite(std::make_shared<const Site>(*MakeSite("demo", "")));
        lane.Start();
        TestBatch batch({"a"});
        if (lane.Submit(&batch).ok()) (void)batch.Wait();
        std::_Exit(2);
      },
      ::testing::ExitedWithCode(EXIT_FAILURE), "");
}

}  // namespace
}  // namespace viewcount
