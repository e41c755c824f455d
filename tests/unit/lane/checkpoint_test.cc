// Tests the writers' checkpoint. A reader must find the checkpoint that was written last, however the disk fails.
#include "service/lane/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "service/base/crc32c.h"
#include "service/base/files.h"
#include "service/base/little_endian.h"
#include "service/base/status.h"
#include "tests/support/memory_disk.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr LaneId kLane{{1}};
constexpr char kLaneFolder[] = "/lane";

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() { EXPECT_TRUE(disk_.MakeFolder(kLaneFolder).ok()); }

  void Write(uint64_t position, const std::string& writers) {
    const auto status = WriteCheckpoint(disk_, kLaneFolder, kLane, {{position}, writers});
    ASSERT_TRUE(status.ok()) << status;
  }
  void ExpectRead(uint64_t position, const std::string& writers) {
    const auto read = ReadCheckpoint(disk_, kLaneFolder, kLane);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->position, Position{position});
    EXPECT_EQ(read->writers, writers);
  }
  std::string RefusedWith(LaneId lane = kLane) {
    const auto read = ReadCheckpoint(disk_, kLaneFolder, lane);
    EXPECT_TRUE(absl::IsFailedPrecondition(read.status())) << read.status();
    return std::string(ToStd(read.status().message()));
  }
  std::vector<std::string> Files() {
    auto names = *disk_.List(kLaneFolder);
    std::sort(names.begin(), names.end());
    return names;
  }

  MemoryDisk disk_;
};

TEST_F(CheckpointTest, WithoutAnyNothingWasTaken) { ExpectRead(0, ""); }

TEST_F(CheckpointTest, IsReadAsWritten) {
  const std::string writers("\0 any \n bytes \xff", 15);
  Write(12'345, writers);
  ExpectRead(12'345, writers);
  EXPECT_THAT(Files(), ElementsAre("00000000000000012345.writers"));
}

TEST_F(CheckpointTest, EachTableIsReadAsWritten) {
  const Checkpoint written{.position = {7}, .writers = "writers", .visits = "visits", .cool_downs = "pairs"};
  ASSERT_TRUE(WriteCheckpoint(disk_, kLaneFolder, kLane, written).ok());
  ExpectRead(7, "writers");
  const auto read = ReadCheckpoint(disk_, kLaneFolder, kLane);
  EXPECT_EQ(read->visits, "visits");
  EXPECT_EQ(read->cool_downs, "pairs");
}

TEST_F(CheckpointTest, AFileTakesTheseBytes) {
  const Checkpoint written{.position = {7}, .writers = "writers", .visits = "visits", .cool_downs = "pairs"};
  ASSERT_TRUE(WriteCheckpoint(disk_, kLaneFolder, kLane, written).ok());
  const std::string content = "writersvisitspairs";
  std::string text = "VCWRTR02";
  text.append(kLane.bytes.begin(), kLane.bytes.end());
  little_endian::Append(text, uint64_t{7});
  little_endian::Append(text, Crc32c(content));
  for (const uint32_t bytes : {7, 6, 5}) little_endian::Append(text, bytes);
  EXPECT_EQ(*ReadFile(disk_, "/lane/00000000000000000007.writers"), text + content);
}

// This format was written before cool-downs existed. Writers must be read from it, but visits may be forgotten.
TEST_F(CheckpointTest, TheFirstFormatIsRead) {
  const std::string content = "writersvisits";
  std::string text = "VCWRTR01";
  text.append(kLane.bytes.begin(), kLane.bytes.end());
  little_endian::Append(text, uint64_t{9});
  little_endian::Append(text, Crc32c(content));
  little_endian::Append(text, uint32_t{6});
  ASSERT_EQ(text.size(), 40u);
  ASSERT_TRUE(WriteFileDurably(disk_, "/lane/00000000000000000009.writers", text + content).ok());
  ExpectRead(9, "writers");
  EXPECT_EQ(ReadCheckpoint(disk_, kLaneFolder, kLane)->visits, "");
  text[39] = 1;
  ASSERT_TRUE(WriteFileDurably(disk_, "/lane/00000000000000000009.writers", text + content).ok());
  EXPECT_THAT(RefusedWith(), HasSubstr("is broken"));
}

TEST_F(CheckpointTest, AnEmptyTableIsOneToo) {
  Write(7, "");
  ExpectRead(7, "");
}

TEST_F(CheckpointTest, TheNewestCountsAndOlderOnesGo) {
  Write(9, "older");
  Write(10, "newer");
  ExpectRead(10, "newer");
  EXPECT_THAT(Files(), ElementsAre("00000000000000000010.writers"));
  // A checkpoint of the same position replaces the previous one.
  Write(10, "again");
  ExpectRead(10, "again");
}

TEST_F(CheckpointTest, ABrokenOneIsRefusedByName) {
  const std::string path = std::string(kLaneFolder) + "/00000000000000000010.writers";
  Write(10, "some writers");
  const std::string good = *ReadFile(disk_, path);
  const auto damage = [&](const std::string& text) {
    ASSERT_TRUE(WriteFileDurably(disk_, path, text).ok());
    EXPECT_THAT(RefusedWith(), HasSubstr(path));
  };
  for (size_t size = 0; size < good.size(); ++size) damage(good.substr(0, size));
  damage(good + "x");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    damage(flipped);
  }
}

TEST_F(CheckpointTest, OneUnderAnotherPositionsNameIsBroken) {
  Write(10, "some writers");
  ASSERT_TRUE(disk_.Rename("/lane/00000000000000000010.writers", "/lane/00000000000000000011.writers").ok());
  EXPECT_THAT(RefusedWith(), HasSubstr("00000000000000000011.writers"));
}

TEST_F(CheckpointTest, AnotherLanesIsRefused) {
  Write(10, "some writers");
  EXPECT_THAT(RefusedWith(LaneId{{2}}), HasSubstr("is of lane"));
}

TEST_F(CheckpointTest, OtherFilesAreLeftAlone) {
  ASSERT_TRUE(WriteFileDurably(disk_, "/lane/00000000000000000001.journal", "x").ok());
  ASSERT_TRUE(WriteFileDurably(disk_, "/lane/1.writers", "x").ok());
  Write(10, "w");
  ExpectRead(10, "w");
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(CheckpointTest, ACrashLeavesTheOldOrTheNewOne) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 500; ++round) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.MakeFolder(kLaneFolder).ok());
    ASSERT_TRUE(WriteCheckpoint(disk, kLaneFolder, kLane, {{10}, "before"}).ok());
    const std::string next(random() % 3'000, 'n');
    // The crash happens at one of the syncs of the write, or sometimes after all of them.
    disk.FailSync(static_cast<int>(1 + random() % 4));
    const bool written = WriteCheckpoint(disk, kLaneFolder, kLane, {{20}, next}).ok();
    disk.FailSync(0);
    disk.Crash(random);
    const auto read = ReadCheckpoint(disk, kLaneFolder, kLane);
    ASSERT_TRUE(read.ok()) << read.status();
    if (read->position == Position{20}) {
      EXPECT_EQ(read->writers, next);
    } else {
      EXPECT_EQ(read->position, Position{10});
      EXPECT_EQ(read->writers, "before");
      EXPECT_FALSE(written);
    }
    // The next checkpoint overwrites all remains of the crash.
    ASSERT_TRUE(WriteCheckpoint(disk, kLaneFolder, kLane, {{30}, "after"}).ok());
    ASSERT_EQ(ReadCheckpoint(disk, kLaneFolder, kLane)->writers, "after");
  }
}

}  // namespace
}  // namespace viewcount
