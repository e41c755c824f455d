// Tests the lanes of a process across starts. A start may have more lanes, fewer lanes, or an older copy of the data
// directory.
#include "service/instance/lane_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/base/store_thread.h"
#include "service/lane/fenced_cursors.h"
#include "service/model/lane_choice.h"
#include "tests/support/eventually.h"
#include "tests/support/gated_disk.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/flush/faulty_store.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;

constexpr Window kAll{Window::Kind::kAllTime, 0};

constexpr int kWriters = 20;

WriterId Writer(int number) {
  WriterId writer;
  writer.bytes[0] = static_cast<uint8_t>(number);
  writer.bytes[15] = 1;
  return writer;
}

class LaneSetTest : public ::testing::Test {
 protected:
  ~LaneSetTest() override {
    if (set_ != nullptr) Kill();
    thread_.Drain(std::chrono::seconds(5));
  }

  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return thread_.Spawn(std::move(coroutine)).get();
  }
  absl::Status TryOpen(uint32_t lanes) {
    if (auto status = OpenJournals(lanes); !status.ok()) return status;
    return Await(set_->Settle(store_));
  }
  absl::Status OpenJournals(uint32_t lanes) {
    sites_ = std::make_unique<SiteDirectory>();
    EXPECT_TRUE(sites_->Put(*MakeSite("demo", {})).ok());
    auto set = LaneSet::Open({disk_, *sites_, clock_, metrics_}, {.data_dir = folder_.path(),
                                                                  .count = lanes,
                                                                  .journal_budget_bytes = 64 << 20,
                                                                  .journal_retention = retention_});
    if (!set.ok()) return set.status();
    set_ = *std::move(set);
    return absl::OkStatus();
  }
  // Starts and accepts views before the store is available.
  void StartWithout(uint32_t lanes) {
    const auto opened = OpenJournals(lanes);
    ASSERT_TRUE(opened.ok()) << opened;
    ASSERT_TRUE(set_->BeginUnchecked().ok());
    cache_ = std::make_unique<CountCache>(set_->cached_lanes());
    set_->SiteChanged(sites_->Find("demo"));
    set_->StartTaking();
  }
  absl::Status Meet() {
    const auto settled = Await(set_->Settle(store_));
    return settled.ok() ? StartFlushing() : settled;
  }
  absl::Status StartFlushing() {
    return Await(set_->StartFlushing({.store = store_,
                                      .listener = *cache_,
                                      .interval = flush_interval_,
                                      .fenced = [this](const absl::Status& status) { fenced_ = status; }}));
  }
  void Start(uint32_t lanes) {
    const auto opened = TryOpen(lanes);
    ASSERT_TRUE(opened.ok()) << opened;
    Run();
  }
  void Run() {
    cache_ = std::make_unique<CountCache>(set_->cached_lanes());
    set_->SiteChanged(sites_->Find("demo"));
    const auto started = StartFlushing();
    ASSERT_TRUE(started.ok()) << started;
    set_->StartTaking();
  }
  void Flush() {
    const auto flushed = Await(set_->FlushNow(std::chrono::seconds(10)));
    ASSERT_TRUE(flushed.ok()) << flushed;
  }
  // Ends the lanes. Views that are not flushed stay in the journals.
  void Kill() {
    set_->StopTaking();
    Await([](LaneSet& set) -> boost::asio::awaitable<bool> {
      co_await set.StopFlushing();
      co_return true;
    }(*set_));
    set_.reset();
  }
  AnsweredBatch::Answer Send(int writer, uint64_t sequence, bool import = false) {
    const WriterId id = Writer(writer);
    v1::RecordViewsRequest message;
    message.set_writer_id(std::string(id.bytes.begin(), id.bytes.end()));
    message.set_sequence(sequence);
    message.set_import(import);
    message.add_views()->set_article_id("/by/" + std::to_string(writer));
    EncodedBatch batch(*sites_->Find("demo"), std::move(message), clock_.UnixMillis(), clock_.Now());
    const auto lanes = set_->lanes();
    const auto status = lanes[LaneOfWriter(id, lanes.size())]->Submit(&batch);
    if (!status.ok()) return {status, {}};
    auto answer = batch.Wait();
    if (answer.status.ok() && !answer.result.duplicate) ++totals_["/by/" + std::to_string(writer)];
    return answer;
  }
  void SendFromAll(uint64_t sequence) {
    for (int writer = 0; writer < kWriters; ++writer) ASSERT_TRUE(Send(writer, sequence).status.ok());
  }
  // Every writer must continue at its position. Its last batch is a duplicate, and its next batch is new.
  void ExpectGoesOn(int writers, uint64_t last_sequence) {
    for (int writer = 0; writer < writers; ++writer) {
      const auto again = Send(writer, last_sequence);
      ASSERT_TRUE(again.status.ok()) << again.status;
      EXPECT_TRUE(again.result.duplicate) << "writer " << writer;
      const auto next = Send(writer, last_sequence + 1);
      ASSERT_TRUE(next.status.ok()) << next.status;
      EXPECT_FALSE(next.result.duplicate) << "writer " << writer;
    }
  }
  std::map<std::string, uint64_t> Stored() {
    std::map<std::string, uint64_t> stored;
    for (const auto& [id, views] : totals_) {
      const Shard shard = ShardOf(ArticleHash(Hash64("demo"), id));
      const auto counts = Await(store_.ReadCounts(shard, {LaneId()}, "demo", {kAll}, {id}));
      EXPECT_TRUE(counts.ok());
      stored[id] = counts->counts[0][0];
    }
    return stored;
  }
  std::set<std::string> Folders() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/lanes")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  bool IsRetired(uint32_t lane) const {
    return std::filesystem::exists(fmt::format("{}/lanes/{}/RETIRED", folder_.path(), lane));
  }

  TemporaryDirectory folder_;
  std::chrono::milliseconds retention_ = limits::kJournalRetention;
  // With this interval the lanes flush only when the test demands it.
  std::chrono::milliseconds flush_interval_ = std::chrono::hours(1);
  PosixDisk posix_;
  GatedDisk disk_{posix_};
  ManualClock clock_;
  Metrics metrics_;
  MemoryStore memory_;
  bool loses_removals_ = false;
  FaultyStore store_{memory_, {.loses_removal = [this](Shard shard) { return loses_removals_ && shard.value == 20; }}};
  StoreThread thread_;
  std::unique_ptr<SiteDirectory> sites_;
  std::unique_ptr<LaneSet> set_;
  std::unique_ptr<CountCache> cache_;
  std::map<std::string, uint64_t> totals_;
  absl::Status fenced_;
};

TEST_F(LaneSetTest, WritersMoveToLanesThatCome) {
  Start(1);
  SendFromAll(1);
  Kill();
  Start(3);
  ExpectGoesOn(kWriters, 1);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  Kill();
  // The writers continue once more. The journals now begin after the records of the writers that moved.
  Start(3);
  ExpectGoesOn(kWriters, 2);
}

TEST_F(LaneSetTest, SurplusLanesAreRemovedWhenTheirJournalsAreNoLongerNeeded) {
  Start(3);
  std::vector<LaneId> ids;
  for (const auto& state : set_->states()) ids.push_back(state.identity.id);
  SendFromAll(1);
  Kill();
  Start(1);
  EXPECT_EQ(set_->lanes().size(), 1u);
  EXPECT_EQ(set_->states().size(), 3u);
  EXPECT_EQ(set_->pending_views(), static_cast<uint64_t>(kWriters));
  Flush();
  EXPECT_EQ(Stored(), totals_);
  Kill();
  Start(1);
  EXPECT_THAT(Folders(), ElementsAre("0", "1", "2"));
  clock_.Advance(retention_);
  EXPECT_TRUE(Eventually([&] { return IsRetired(1) && IsRetired(2); }));
  EXPECT_FALSE(IsRetired(0));
  Kill();
  Start(1);
  EXPECT_THAT(Folders(), ElementsAre("0"));
  EXPECT_EQ(set_->states().size(), 1u);
  EXPECT_EQ(set_->states()[0].identity.id, ids[0]);
  for (uint8_t i = 0; i < limits::kShards; ++i) {
    EXPECT_TRUE(Await(memory_.ReadLane(Shard{i}, ids[0]))->entry);
    EXPECT_FALSE(Await(memory_.ReadLane(Shard{i}, ids[1]))->entry);
    EXPECT_FALSE(Await(memory_.ReadLane(Shard{i}, ids[2]))->entry);
  }
  ExpectGoesOn(kWriters, 1);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  Kill();
  Start(1);
  ExpectGoesOn(kWriters, 2);
}

TEST_F(LaneSetTest, AStoreThatLostTheViewsOfASurplusLaneGetsThemAgain) {
  Start(3);
  SendFromAll(1);
  Kill();
  // A lane that has nothing to flush looks at the store at its interval.
  flush_interval_ = std::chrono::milliseconds(10);
  Start(1);
  Flush();
  memory_.Empty();
  clock_.Advance(limits::kStoreCheckInterval);
  EXPECT_TRUE(Eventually([&] { return Stored() == totals_; }));
  Kill();
  memory_.Empty();
  Start(1);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  EXPECT_EQ(metrics_.lost_views.Value(), 0);
}

TEST_F(LaneSetTest, ARetiredLaneStaysForOneMoreStartIfTheStoreLostItsViews) {
  Start(2);
  SendFromAll(1);
  Kill();
  Start(1);
  Flush();
  clock_.Advance(retention_);
  EXPECT_TRUE(Eventually([&] { return IsRetired(1); }));
  Kill();
  memory_.Empty();
  for (int start = 1; start <= 2; ++start) {
    Start(1);
    Flush();
    EXPECT_EQ(Stored(), totals_);
    EXPECT_THAT(Folders(), ElementsAre("0", "1"));
    EXPECT_FALSE(IsRetired(1));
    Kill();
  }
  EXPECT_EQ(metrics_.lost_views.Value(), 0);
}

TEST_F(LaneSetTest, ARetiredLaneMayTakeViewsAgain) {
  Start(3);
  SendFromAll(1);
  Kill();
  Start(1);
  ExpectGoesOn(kWriters, 1);
  Flush();
  clock_.Advance(retention_);
  EXPECT_TRUE(Eventually([&] { return IsRetired(1) && IsRetired(2); }));
  Kill();
  Start(3);
  EXPECT_FALSE(IsRetired(1) || IsRetired(2));
  ExpectGoesOn(kWriters, 2);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  EXPECT_EQ(metrics_.audit_differences.Value(), 0);
}

// Before the process dies, the store forgets the lane in some shards only.
TEST_F(LaneSetTest, ALaneThatIsHalfForgottenIsNotCountedAgain) {
  retention_ = std::chrono::milliseconds(0);
  Start(2);
  SendFromAll(1);
  Flush();
  Kill();
  loses_removals_ = true;
  (void)TryOpen(1);
  set_.reset();
  loses_removals_ = false;
  Start(1);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  EXPECT_EQ(metrics_.lost_views.Value(), 0);
}

// The checkpoint of a lane to which writers move cannot be written, as if the process died at that moment.
TEST_F(LaneSetTest, WritersThatAreMovingAreNotForgottenInACrash) {
  for (const char* failing : {"lanes/0/", "lanes/1/", "lanes/2/"}) {
    SCOPED_TRACE(failing);
    std::filesystem::remove_all(folder_.path() + "/lanes");
    totals_.clear();
    Start(1);
    SendFromAll(1);
    Kill();
    disk_.Fail(absl::InternalError("killed"), failing);
    EXPECT_FALSE(TryOpen(3).ok());
    set_.reset();
    disk_.Fail(absl::OkStatus());
    Start(3);
    ExpectGoesOn(kWriters, 1);
    Kill();
  }
}

// The disk was restored from a copy that is older than the state in the store.
TEST_F(LaneSetTest, AnOlderCopyBeginsAnewUnderAnotherIdentity) {
  Start(1);
  const LaneId old = set_->states()[0].identity.id;
  for (int writer = 0; writer < kWriters; ++writer) ASSERT_TRUE(Send(writer, 1, writer % 2 == 0).status.ok());
  Flush();
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(folder_.path() + "/lanes", copy, std::filesystem::copy_options::recursive);
  for (int writer = 0; writer < kWriters; ++writer) ASSERT_TRUE(Send(writer, 2, writer % 2 == 0).status.ok());
  Flush();
  Kill();
  std::filesystem::remove_all(folder_.path() + "/lanes");
  std::filesystem::rename(copy, folder_.path() + "/lanes");
  Start(1);
  EXPECT_NE(set_->states()[0].identity.id, old);
  const std::string aside = folder_.path() + "/lanes/0/abandoned-" + ToHex(old);
  EXPECT_TRUE(std::filesystem::exists(aside + "/00000000000000000000.journal"));
  for (int writer = 0; writer < kWriters; ++writer) {
    if (writer % 2 == 0) {
      // An import is remembered forever, if the copy contains it.
      EXPECT_TRUE(Send(writer, 1, true).result.duplicate);
    } else {
      EXPECT_TRUE(absl::IsFailedPrecondition(Send(writer, 3).status)) << "it begins as a new writer";
      EXPECT_TRUE(Send(writer, 1).status.ok());
    }
  }
  Flush();
  EXPECT_EQ(Stored(), totals_);
  Kill();
  Start(1);
  Flush();
  EXPECT_EQ(Stored(), totals_);
  EXPECT_EQ(metrics_.audit_differences.Value(), 0);
}

TEST_F(LaneSetTest, ACopyThatIsStartedBesideTheOriginalIsFenced) {
  Start(1);
  ASSERT_TRUE(Send(1, 1).status.ok());
  Flush();
  Kill();
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(folder_.path() + "/lanes", copy, std::filesystem::copy_options::recursive);
  Start(1);
  Kill();
  std::filesystem::remove_all(folder_.path() + "/lanes");
  std::filesystem::rename(copy, folder_.path() + "/lanes");
  ASSERT_TRUE(TryOpen(1).ok());
  cache_ = std::make_unique<CountCache>(set_->cached_lanes());
  EXPECT_EQ(ReasonOf(StartFlushing()), "FENCED");
}

TEST_F(LaneSetTest, WhatIsTakenBeforeTheStoreIsThereIsCountedOnce) {
  for (const uint32_t lanes : {1u, 3u, 2u}) {
    SCOPED_TRACE(lanes);
    Start(lanes);
    const uint64_t last = totals_.empty() ? 0 : totals_.begin()->second;
    SendFromAll(last + 1);
    Kill();
    // The test starts twice, because the process may die before the store is available.
    for (uint64_t start = 1; start <= 2; ++start) {
      StartWithout(lanes);
      EXPECT_TRUE(absl::IsUnavailable(Await(set_->FlushNow(std::chrono::seconds(1)))));
      ExpectGoesOn(kWriters, last + start);
      if (start == 1) Kill();
    }
    ASSERT_TRUE(Meet().ok());
    ExpectGoesOn(kWriters, last + 3);
    Flush();
    EXPECT_EQ(Stored(), totals_);
    Kill();
  }
  EXPECT_EQ(metrics_.audit_differences.Value(), 0);
  EXPECT_EQ(metrics_.lost_views.Value(), 0);
}

TEST_F(LaneSetTest, ADirectoryThatNeverTookAViewHasNothingToFlushWithoutTheStore) {
  StartWithout(2);
  EXPECT_TRUE(Await(set_->FlushNow(std::chrono::seconds(1))).ok());
}

// The journal grows past the position that the store has of the other history. Only then do lane and store meet.
TEST_F(LaneSetTest, AnOlderCopyThatTookViewsWithoutTheStoreIsFencedOffUntilItIsDrained) {
  Start(1);
  SendFromAll(1);
  Flush();
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(folder_.path() + "/lanes", copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(Send(1, 2).status.ok());
  Flush();
  Kill();
  std::filesystem::remove_all(folder_.path() + "/lanes");
  std::filesystem::rename(copy, folder_.path() + "/lanes");
  const auto stored = Stored();
  StartWithout(1);
  SendFromAll(2);
  EXPECT_EQ(ReasonOf(Await(set_->Settle(store_))), "FENCED");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/lanes/0/FENCED"));
  Kill();
  // A later start does not take the store's position for its own either.
  EXPECT_EQ(ReasonOf(TryOpen(1)), "FENCED");
  EXPECT_EQ(Stored(), stored);
}

TEST_F(LaneSetTest, AnOlderCopyThatTookNothingWithoutTheStoreBeginsAnewAtTheNextStart) {
  Start(1);
  ASSERT_TRUE(Send(1, 1).status.ok());
  Flush();
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(folder_.path() + "/lanes", copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(Send(1, 2).status.ok());
  Flush();
  const LaneId old = set_->states()[0].identity.id;
  Kill();
  std::filesystem::remove_all(folder_.path() + "/lanes");
  std::filesystem::rename(copy, folder_.path() + "/lanes");
  StartWithout(1);
  EXPECT_EQ(ReasonOf(Await(set_->Settle(store_))), "FENCED");
  Kill();
  Start(1);
  EXPECT_NE(set_->states()[0].identity.id, old);
}

TEST_F(LaneSetTest, ACopyThatTookViewsWithoutTheStoreNotesWhatIsItsOwn) {
  Start(1);
  ASSERT_TRUE(Send(1, 1).status.ok());
  Flush();
  Kill();
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(folder_.path() + "/lanes", copy, std::filesystem::copy_options::recursive);
  Start(1);
  Kill();
  std::filesystem::remove_all(folder_.path() + "/lanes");
  std::filesystem::rename(copy, folder_.path() + "/lanes");
  StartWithout(1);
  const Position begin = set_->states()[0].totals.position;
  ASSERT_TRUE(Send(2, 1).status.ok());
  EXPECT_EQ(ReasonOf(Meet()), "FENCED");
  EXPECT_EQ(ReasonOf(fenced_), "FENCED");
  const auto noted = ReadFencedCursors(disk_, folder_.path() + "/lanes/0");
  ASSERT_TRUE(noted.ok()) << noted.status();
  for (const Cursor& cursor : *noted) EXPECT_EQ(cursor, Cursor::End(begin));
}

}  // namespace
}  // namespace viewcount
