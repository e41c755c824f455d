// A lane's identity is abandoned on a disk that crashes at any step. The next start must find one of two states. Either
// the old identity has a readable journal, or the new identity has no journal. No segment may be lost in either state.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "service/journal/journal_writer.h"
#include "service/lane/checkpoint.h"
#include "service/lane/lane_directory.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_disk.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr char kFolder[] = "/lanes/0";

class AbandonTest : public ::testing::Test {
 protected:
  // Creates a lane with a journal of a few segments and with a checkpoint.
  void Fill(MemoryDisk& disk) {
    auto directory = LaneDirectory::OpenUnlocked(disk, clock_, kFolder);
    ASSERT_TRUE(directory.ok()) << directory.status();
    ASSERT_TRUE(directory->Begin().ok());
    old_ = directory->identity().id;
    auto journal = OpenJournal(disk, old_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    const std::string payload(1'000, 'x');
    for (int i = 0; i < 12; ++i) {
      ASSERT_TRUE((*journal)->Begin(1, payload.size()).ok());
      (*journal)->Append(RecordType::kViews, payload);
      ASSERT_TRUE((*journal)->Commit().ok());
    }
    ASSERT_TRUE(WriteCheckpoint(disk, kFolder, old_, {(*journal)->end(), "writers"}).ok());
    segments_ = Segments(disk, kFolder);
    ASSERT_GE(segments_.size(), 3u);
  }
  absl::StatusOr<std::unique_ptr<JournalWriter>> OpenJournal(MemoryDisk& disk, LaneId lane) {
    return JournalWriter::Open(disk, clock_, {.folder = kFolder, .lane = lane, .segment_bytes = 4'096});
  }
  static std::set<std::string> Segments(MemoryDisk& disk, const std::string& folder) {
    std::set<std::string> segments;
    const auto names = disk.List(folder);
    if (!names.ok()) return segments;
    for (const std::string& name : *names) {
      if (name.ends_with(".journal")) segments.insert(name);
    }
    return segments;
  }

  ManualClock clock_;
  LaneId old_;
  std::set<std::string> segments_;
};

TEST_F(AbandonTest, MovesTheJournalAsideAndBeginsAnother) {
  MemoryDisk disk;
  ASSERT_NO_FATAL_FAILURE(Fill(disk));
  auto directory = LaneDirectory::OpenUnlocked(disk, clock_, kFolder);
  ASSERT_TRUE(directory.ok() && directory->Abandon().ok());
  const LaneIdentity abandoned = directory->identity();
  EXPECT_NE(abandoned.id, old_);
  EXPECT_TRUE(abandoned.earlier.empty());
  EXPECT_TRUE(Segments(disk, kFolder).empty());
  EXPECT_EQ(Segments(disk, std::string(kFolder) + "/abandoned-" + ToHex(old_)), segments_);
  EXPECT_EQ(ReadCheckpoint(disk, kFolder, abandoned.id)->position, Position{0});
  EXPECT_EQ((*OpenJournal(disk, abandoned.id))->end(), Position{0});
  const auto again = LaneDirectory::OpenUnlocked(disk, clock_, kFolder);
  EXPECT_EQ(again->identity().id, abandoned.id);
}

TEST_F(AbandonTest, ACrashAtAnyStepLosesNoSegmentAndRefusesNoStart) {
  std::mt19937_64 random(TestSeed());
  int unfinished = 0;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    MemoryDisk disk;
    ASSERT_NO_FATAL_FAILURE(Fill(disk));
    auto directory = LaneDirectory::OpenUnlocked(disk, clock_, kFolder);
    ASSERT_TRUE(directory.ok());
    disk.FailSync(static_cast<int>(1 + random() % 14));
    const bool done = directory->Abandon().ok();
    disk.FailSync(0);
    disk.Crash(random);
    const std::string aside = std::string(kFolder) + "/abandoned-" + ToHex(old_);
    auto again = LaneDirectory::OpenUnlocked(disk, clock_, kFolder);
    ASSERT_TRUE(again.ok()) << again.status();
    {
      const auto journal = OpenJournal(disk, again->identity().id);
      ASSERT_TRUE(journal.ok()) << journal.status();
      const auto checkpoint = ReadCheckpoint(disk, kFolder, again->identity().id);
      ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    }
    std::set<std::string> found = Segments(disk, aside);
    found.merge(Segments(disk, kFolder));
    ASSERT_EQ(found, segments_);
    if (again->identity().id == old_) {
      ASSERT_FALSE(done);
      ++unfinished;
      ASSERT_TRUE(again->Abandon().ok());
    }
    ASSERT_EQ(Segments(disk, aside), segments_);
    ASSERT_TRUE(Segments(disk, kFolder).empty());
  }
  EXPECT_GT(unfinished, 20);
}

}  // namespace
}  // namespace viewcount
