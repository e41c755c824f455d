// Tests a journal on a disk that crashes. All committed records must remain, in order. An uncommitted group may leave a
// few whole records or nothing.
#include <algorithm>
#include <random>

#include "tests/support/memory_disk.h"
#include "tests/support/seed.h"
#include "tests/unit/journal/journal_fixture.h"

namespace viewcount {
namespace {

class CrashTest : public JournalTest {
 protected:
  CrashTest() {
    options_.folder = "/journal";
    EXPECT_TRUE(memory_.MakeFolder(options_.folder).ok());
    options_.budget_bytes = 8 * options_.segment_bytes;
    options_.retention = std::chrono::milliseconds(0);
  }
  Disk& disk() override { return memory_; }

  // Writes a group whose sync fails, so that the process never sees it committed.
  void WriteWithoutSync(const Payloads& group) {
    memory_.FailSync(1);
    const auto status = TryWrite(group);
    EXPECT_FALSE(status.ok());
    // If there was no room, nothing was written, and the journal has not failed.
    if (!absl::IsResourceExhausted(status)) {
      EXPECT_FALSE(TryWrite({"late"}).ok());
    }
    memory_.FailSync(0);
  }

  MemoryDisk memory_;
};

TEST_F(CrashTest, AFailedSyncIsFinal) {
  Open();
  Write({"a"});
  const Position end = writer_->end();
  memory_.FailSync(1);
  EXPECT_TRUE(absl::IsFailedPrecondition(TryWrite({"b"})));
  EXPECT_FALSE(TryWrite({"c"}).ok());
  EXPECT_FALSE(writer_->Commit().ok());
  EXPECT_EQ(writer_->end(), end);
}

TEST_F(CrashTest, WhatAFailedSyncLeftVisibleIsDurableOnceItWasRead) {
  std::mt19937_64 random(TestSeed());
  Open();
  Write({"a"});
  WriteWithoutSync({"b"});
  for (int i = 0; i < 20; ++i) {
    Open();
    const Payloads seen = ReadAll();
    memory_.Crash(random);
    Open();
    ASSERT_EQ(ReadAll(), seen);
  }
}

TEST_F(CrashTest, AFullDiskChangesNothingUntilThereIsRoom) {
  Open();
  Write({"a"});
  ASSERT_TRUE(writer_->Maintain({0}).ok());
  Write({std::string(3'990, 'b')});
  memory_.SetQuota(memory_.bytes() + 100);
  const Position end = writer_->end();
  for (int i = 0; i < 3; ++i) {
    const auto status = TryWrite({std::string(3'990, 'c')});
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(status.GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
    EXPECT_TRUE(absl::IsResourceExhausted(writer_->Maintain({0})));
    EXPECT_EQ(writer_->end(), end);
    EXPECT_EQ(writer_->bytes(), 2 * options_.segment_bytes);
  }
  Open();
  EXPECT_EQ(ReadAll().size(), 2u);
  memory_.SetQuota(UINT64_MAX);
  Write({std::string(3'990, 'c')});
  EXPECT_EQ(ReadAll().size(), 3u);
}

TEST_F(CrashTest, IsOpenedOnADiskWithoutRoomForTheRestOfItsSegment) {
  std::mt19937_64 random(TestSeed());
  Open();
  Write({"a"});
  writer_.reset();
  ASSERT_TRUE((*memory_.Open(PathOf({0})))->Truncate(200).ok());
  memory_.SetQuota(memory_.bytes());
  Open();
  EXPECT_TRUE(absl::IsResourceExhausted(TryWrite({std::string(300, 'x')})));
  memory_.SetQuota(UINT64_MAX);
  Write({std::string(300, 'x')});
  EXPECT_EQ(ReadAll().size(), 2u);
}

// Compares random groups, seals, maintenance, restarts and crashes with a model.
class CrashModel : public CrashTest {
 protected:
  Payloads RandomGroup(std::mt19937_64& random) {
    Payloads group(1 + random() % 4);
    for (std::string& payload : group) {
      payload = std::to_string(next_++) + ":" + std::string(random() % 4 == 0 ? random() % 1'500 : random() % 60, 'x');
    }
    return group;
  }
  // The journal must hold the latest committed records, followed by a beginning of the uncommitted ones.
  void ExpectRecovered() {
    ASSERT_NO_FATAL_FAILURE(Open());
    const Payloads found = ReadAll();
    Payloads all = committed_;
    all.insert(all.end(), pending_.begin(), pending_.end());
    const auto first = found.empty() ? all.end() : std::find(all.begin(), all.end(), found[0]);
    if (found.empty()) {
      ASSERT_TRUE(forgotten_ >= committed_.size());
    } else {
      const size_t at = static_cast<size_t>(first - all.begin());
      ASSERT_LE(at, forgotten_);
      ASSERT_GE(at + found.size(), committed_.size());
      ASSERT_LE(at + found.size(), all.size());
      ASSERT_TRUE(std::equal(found.begin(), found.end(), first));
      all.resize(at + found.size());
      committed_ = all;
    }
    pending_.clear();
  }
  void Step(std::mt19937_64& random) {
    const auto group = RandomGroup(random);
    switch (random() % 12) {
      case 0:
        pending_ = group;
        WriteWithoutSync(group);
        // Either the process alone dies, or the machine crashes as well.
        if (random() % 2 == 0) memory_.Crash(random);
        ExpectRecovered();
        break;
      case 1:
        memory_.Crash(random);
        ExpectRecovered();
        break;
      case 2:
        ExpectRecovered();
        break;
      case 3:
        forgotten_ = committed_.size();
        ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
        break;
      case 4:
        // The sync of a segment or of the folder fails at some point.
        pending_ = group;
        memory_.FailSync(1 + static_cast<int>(random() % 4));
        if (TryWrite(group).ok()) committed_.insert(committed_.end(), group.begin(), group.end()), pending_.clear();
        memory_.FailSync(0);
        memory_.Crash(random);
        ExpectRecovered();
        break;
      case 5:
        writer_->WriteCommitMarker();
        break;
      default: {
        const auto status = TryWrite(group);
        if (absl::IsResourceExhausted(status)) {
          forgotten_ = committed_.size();
          ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
          break;
        }
        ASSERT_TRUE(status.ok()) << status;
        committed_.insert(committed_.end(), group.begin(), group.end());
      }
    }
  }

  uint64_t next_ = 0;
  Payloads committed_;
  // Holds the payloads of a group whose commit failed.
  Payloads pending_;
  // Counts the committed payloads that may have been deleted with their segments.
  size_t forgotten_ = 0;
};

TEST_F(CrashModel, WhatWasCommittedIsThereAfterAnyCrash) {
  std::mt19937_64 random(TestSeed());
  Open();
  for (int step = 0; step < 20'000; ++step) {
    if (step % 200 == 0) {
      // Old payloads are dropped, so that look-ups in the model stay short.
      const size_t keep = std::min<size_t>(committed_.size(), 400);
      const size_t gone = committed_.size() - keep;
      if (gone <= forgotten_ && ReadAll().size() <= keep) {
        committed_.erase(committed_.begin(), committed_.begin() + static_cast<std::ptrdiff_t>(gone));
        forgotten_ -= gone;
      }
    }
    Step(random);
    if (HasFatalFailure()) FAIL() << "in step " << step;
  }
}

}  // namespace
}  // namespace viewcount
