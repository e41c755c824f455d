// Tests a lane step by step. The tests check when batches of each durability level are answered, and how a full journal
// behaves. The counters must always add up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <random>

#include "service/base/log_throttle.h"
#include "service/base/service_full.h"
#include "service/base/status.h"
#include "tests/support/eventually.h"
#include "tests/support/log_capture.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/lane_rig.h"

namespace viewcount {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

// Thrown to end a step when the journal fails, because the handler must not return.
struct JournalFailed {
  absl::Status status;
};

// Returns options with small segments and a small budget, so that a few batches fill the journal.
LaneRig::Options Small() {
  return {.segment_bytes = 64 << 10, .budget_bytes = 192 << 10, .failed = [](const absl::Status& status) {
            throw JournalFailed{status};
          }};
}

class LaneStepTest : public ::testing::Test {
 protected:
  explicit LaneStepTest(
      LaneRig::Options options = {.failed = [](const absl::Status& status) { throw JournalFailed{status}; }})
      : rig_(std::move(options)) {
    lane().ApplySite(rig_.site);
    EXPECT_TRUE(lane().Step());
  }

  Lane& lane() { return *rig_.lane; }
  absl::Status TrySubmit(AnsweredBatch& batch) { return lane().Submit(&batch); }
  void Submit(AnsweredBatch& batch) {
    const auto status = TrySubmit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Checks each counter, and that received = counted + duplicate + rejected + waiting.
  void ExpectCounters(uint64_t counted, uint64_t duplicate, uint64_t rejected, uint64_t waiting) {
    const Lane::Counters counters = lane().counters();
    EXPECT_EQ(counters.counted, counted);
    EXPECT_EQ(counters.duplicate, duplicate);
    EXPECT_EQ(counters.rejected, rejected);
    EXPECT_EQ(counters.waiting, waiting);
    EXPECT_EQ(counters.received, counted + duplicate + rejected + waiting);
  }

  LaneRig rig_;
  const WriterId writer_ = RandomId<WriterId>();
};

TEST_F(LaneStepTest, MemoryIsAnsweredBeforeTheSyncAndSaysSo) {
  lane().Start();
  TestBatch memory({"a"}), journaled({"a"});
  memory.Wishing(Durability::kMemory);
  rig_.gate.Shut();
  Submit(memory);
  const auto answer = memory.Wait();
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.result.durability, Durability::kMemory);
  EXPECT_EQ(answer.result.accepted_views, 1u);
  EXPECT_EQ(rig_.Pending("a"), 1u) << "what was acknowledged is read at once";
  Submit(journaled);
  EXPECT_FALSE(journaled.answered());
  rig_.gate.Open();
  EXPECT_EQ(journaled.Wait().result.durability, Durability::kJournaled);
  EXPECT_EQ(rig_.Pending("a"), 2u);
}

// The batch's views are in the chunk. They must not reach the store before they are in the journal.
TEST_F(LaneStepTest, WhatOnlyMemoryHasIsNotSealed) {
  lane().Start();
  TestBatch memory({"a"});
  memory.Wishing(Durability::kMemory);
  rig_.gate.Shut();
  Submit(memory);
  (void)memory.Wait();
  EXPECT_EQ(rig_.ledger->Next().chunk, nullptr);
  std::atomic<bool> sealed = false;
  rig_.ledger->NotifySealed([&] { sealed = true; });
  rig_.gate.Open();
  EXPECT_TRUE(Eventually([&] { return sealed.load(); }));
  ASSERT_NE(rig_.ledger->Next().chunk, nullptr);
  EXPECT_EQ(rig_.ledger->Next().chunk->views(), 1u);
  lane().Stop();
  rig_.ledger->NotifySealed(nullptr);
}

TEST_F(LaneStepTest, StoredIsAnsweredWhenTheStoreHasIt) {
  int kicks = 0;
  lane().NotifyFlusher([&] { ++kicks; });
  TestBatch stored({"a"}), journaled({"a"});
  Submit(stored.Wishing(Durability::kStored));
  Submit(journaled);
  EXPECT_TRUE(lane().Step());
  EXPECT_EQ(kicks, 1) << "the flusher is not to wait for its interval";
  EXPECT_TRUE(journaled.answered());
  EXPECT_FALSE(stored.answered());
  lane().AnswerStored();
  EXPECT_FALSE(stored.answered());
  ExpectCounters(2, 0, 0, 0);
  rig_.Flush();
  const auto answer = stored.Wait();
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.result.durability, Durability::kStored);
  EXPECT_EQ(answer.result.accepted_views, 1u);
}

TEST_F(LaneStepTest, StoredIsAnsweredAsJournaledAfterTheTimeOut) {
  TestBatch stored({"a"});
  Submit(stored.Wishing(Durability::kStored));
  EXPECT_TRUE(lane().Step());
  rig_.clock.Advance(limits::kStoredWait - std::chrono::milliseconds(1));
  lane().Maintain();
  EXPECT_FALSE(stored.answered());
  rig_.clock.Advance(std::chrono::milliseconds(1));
  lane().Maintain();
  ASSERT_TRUE(stored.answered());
  EXPECT_EQ(stored.Wait().result.durability, Durability::kJournaled);
}

TEST_F(LaneStepTest, AStoredDuplicateOfWhatTheStoreHasIsAnsweredAtOnce) {
  TestBatch original({"a"}), retry({"a"});
  Submit(original.From(writer_, 1));
  EXPECT_TRUE(lane().Step());
  rig_.Flush();
  Submit(retry.From(writer_, 1).Wishing(Durability::kStored));
  EXPECT_TRUE(lane().Step());
  ASSERT_TRUE(retry.answered());
  const auto answer = retry.Wait();
  EXPECT_TRUE(answer.result.duplicate);
  EXPECT_EQ(answer.result.durability, Durability::kStored);
}

TEST_F(LaneStepTest, StoppingAnswersWhoWaitsForTheStore) {
  TestBatch stored({"a"});
  Submit(stored.Wishing(Durability::kStored));
  EXPECT_TRUE(lane().Step());
  lane().Stop();
  ASSERT_TRUE(stored.answered());
  EXPECT_EQ(stored.Wait().result.durability, Durability::kJournaled);
}

TEST_F(LaneStepTest, AFailedSyncIsToldBeforeAnyAnswer) {
  for (const Durability wish : {Durability::kJournaled, Durability::kStored}) {
    TestBatch batch({"a"}), duplicate({"a"});
    const WriterId writer = RandomId<WriterId>();
    Submit(batch.From(writer, 1).Wishing(wish));
    Submit(duplicate.From(writer, 1));
    rig_.gate.Fail(absl::InternalError("the disk is gone"));
    EXPECT_THROW(lane().Step(), JournalFailed);
    EXPECT_FALSE(batch.answered());
    EXPECT_FALSE(duplicate.answered()) << "the original it would confirm may not be durable";
  }
}

TEST_F(LaneStepTest, CountersAddUpWhateverBecomesOfABatch) {
  TestBatch counted({"a", "b"}), duplicate({"a", "b", "c"}), gap({"a"}), stranger({"a"}), memory({"a"});
  Submit(counted.From(writer_, 1));
  Submit(duplicate.From(writer_, 1));
  Submit(gap.From(writer_, 9));
  Submit(stranger.From(RandomId<WriterId>(), 2));
  Submit(memory.Wishing(Durability::kMemory));
  ExpectCounters(0, 0, 0, 8);
  EXPECT_TRUE(lane().Step());
  ExpectCounters(3, 3, 2, 0);
  lane().Stop();
  TestBatch late({"a"});
  EXPECT_TRUE(absl::IsUnavailable(TrySubmit(late)));
  ExpectCounters(3, 3, 2, 0);
}

class FullJournalTest : public LaneStepTest {
 protected:
  FullJournalTest() : LaneStepTest(Small()) {}

  // Sends batches until one is refused. Returns how many were accepted.
  size_t Fill() {
    for (size_t taken = 0;; ++taken) {
      TestBatch batch({"full"}, 20'000);
      if (!TrySubmit(batch).ok()) return taken;
      EXPECT_TRUE(lane().Step());
      const auto answer = batch.Wait();
      if (answer.status.ok()) continue;
      EXPECT_TRUE(absl::IsResourceExhausted(answer.status)) << answer.status;
      EXPECT_TRUE(answer.status.GetPayload(kRetryInfo)) << answer.status;
      return taken;
    }
  }
  // Flushes everything to the store and lets the retention period pass.
  void MakeRoom() {
    rig_.Flush();
    lane().Maintain();
    rig_.clock.Advance(limits::kJournalRetention);
    lane().Maintain();
  }
};

TEST_F(FullJournalTest, RefusesWithTheTimeToAskAgainAndRecovers) {
  const size_t taken = Fill();
  EXPECT_GT(taken, 3u);
  EXPECT_EQ(rig_.Pending("full"), taken);
  TestBatch refused({"full"});
  const auto status = TrySubmit(refused);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(status.GetPayload(kRetryInfo)) << status;
  EXPECT_FALSE(refused.answered());
  EXPECT_GE(rig_.metrics.Rejected(RejectReason::kJournalFull).Value(), 1);
  MakeRoom();
  EXPECT_GT(Fill(), 0u);
  const auto counters = lane().counters();
  EXPECT_EQ(counters.received, counters.counted + counters.rejected);
}

TEST_F(FullJournalTest, SaysWhatIsFullToCallersAndDetailsToOperators) {
  EXPECT_EQ(lane().refusal(), std::nullopt);
  (void)Fill();
  TestBatch refused({"full"});
  const auto status = TrySubmit(refused);
  EXPECT_EQ(FullOf(status), kFullBudget);
  EXPECT_EQ(status.message(), "the journal has no room: its budget is full");
  const auto reason = lane().refusal();
  ASSERT_TRUE(reason.has_value());
  EXPECT_THAT(*reason, AllOf(HasSubstr("the journal's budget is full: the journal in /lane holds "),
                             HasSubstr(" bytes and may hold 196608")));
  MakeRoom();
  EXPECT_EQ(lane().refusal(), std::nullopt);
}

TEST_F(FullJournalTest, ALargerBudgetMakesRoomAtOnce) {
  (void)Fill();
  rig_.journal->SetLimits(1 << 20, limits::kJournalRetention);
  lane().Maintain();
  EXPECT_EQ(lane().refusal(), std::nullopt);
  EXPECT_GT(Fill(), 3u);
  // A budget of less than four segments would block the lane forever, so the journal raises a smaller budget.
  rig_.journal->SetLimits(1, limits::kJournalRetention);
  MakeRoom();
  EXPECT_GT(Fill(), 0u);
}

TEST_F(FullJournalTest, ACheckpointThatCannotBeWrittenIsLoggedNowAndThen) {
  (void)Fill();
  rig_.gate.Fail(absl::ResourceExhaustedError("no room"), ".writers");
  LogCapture log;
  constexpr int kMinutes = 7;
  const int rounds = kMinutes * 60 * 4;
  for (int i = 0; i < rounds; ++i) {
    lane().Maintain();
    rig_.clock.Advance(limits::kMaintenanceInterval);
  }
  const std::string text = log.text();
  size_t lines = 0;
  for (size_t at = text.find("a checkpoint of"); at != std::string::npos; at = text.find("a checkpoint of", at + 1))
    ++lines;
  EXPECT_GE(lines, 1u);
  EXPECT_LE(lines, static_cast<size_t>(kMinutes * 60 / kLogRepeatInterval.count() + 1));
}

// A refused batch is not entered in the dedupe table, so its sequence is new when the batch is sent again.
TEST_F(FullJournalTest, ARefusedBatchIsNewWhenItComesAgain) {
  TestBatch first({"a"}), second({"a"}, 60'000), again({"a"}, 60'000);
  Submit(first.From(writer_, 1));
  EXPECT_TRUE(lane().Step());
  (void)Fill();
  lane().Maintain();
  if (TrySubmit(second.From(writer_, 2)).ok()) {
    EXPECT_TRUE(lane().Step());
    EXPECT_TRUE(absl::IsResourceExhausted(second.Wait().status));
  }
  MakeRoom();
  Submit(again.From(writer_, 2));
  EXPECT_TRUE(lane().Step());
  const auto answer = again.Wait();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_FALSE(answer.result.duplicate);
}

TEST_F(FullJournalTest, SettingsThatFoundNoRoomHoldOnceThereIsSome) {
  constexpr int64_t kLateEvening = int64_t{498'718} * 3'600'000;
  const auto apply = [&](const char* zone) {
    lane().ApplySite(std::make_shared<const Site>(*MakeSite("demo", {zone})));
    EXPECT_TRUE(lane().Step());
  };
  (void)Fill();
  // Changes the settings until the journal has no room even for them.
  std::string applied = "UTC";
  while (rig_.ledger->FindSite(rig_.site->index)->settings.time_zone == applied) {
    applied = applied == "UTC" ? "Asia/Tokyo" : "UTC";
    apply(applied.c_str());
  }
  const std::string in_force = rig_.ledger->FindSite(rig_.site->index)->settings.time_zone;
  // The newest settings apply, even if the lane still folds by the same settings.
  apply("Asia/Ho_Chi_Minh");
  apply(in_force.c_str());
  EXPECT_EQ(rig_.ledger->FindSite(rig_.site->index)->settings.time_zone, in_force);
  MakeRoom();
  TestBatch batch({"a"});
  batch.request.views[0].event_time_unix_ms = kLateEvening;
  Submit(batch);
  EXPECT_TRUE(lane().Step());
  ASSERT_TRUE(batch.Wait().status.ok());
  EXPECT_EQ(rig_.ledger->FindSite(rig_.site->index)->settings.time_zone, in_force);
  EXPECT_EQ(rig_.Pending("a", {Window::Kind::kDay, in_force == "UTC" ? 20261122u : 20261123u}), 1u);
}

}  // namespace
}  // namespace viewcount
