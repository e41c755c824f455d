// Tests the ownership of a lane's folder, and the record that the folder keeps of earlier starts.
#include "service/lane/lane_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "service/base/status.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_disk.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class LaneDirectoryTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/lanes/3"; }
  std::string Identity() const {
    std::stringstream text;
    text << std::ifstream(path() + "/IDENTITY").rdbuf();
    return text.str();
  }
  void WriteIdentity(const std::string& text) const { std::ofstream(path() + "/IDENTITY") << text; }
  absl::StatusOr<LaneDirectory> Open(uint32_t number = 3) {
    return LaneDirectory::Open(disk_, clock_, folder_.path(), number);
  }
  // Starts the lane once, ends it, and returns its identity.
  LaneIdentity StartOnce() {
    auto directory = Open();
    EXPECT_TRUE(directory.ok()) << directory.status();
    EXPECT_TRUE(directory->Begin().ok());
    return directory->identity();
  }
  std::string RefusedWith() {
    const auto directory = Open();
    EXPECT_TRUE(absl::IsFailedPrecondition(directory.status())) << directory.status();
    return std::string(ToStd(directory.status().message()));
  }

  TemporaryDirectory folder_;
  PosixDisk disk_;
  ManualClock clock_;
};

TEST_F(LaneDirectoryTest, IsMadeWithALaneOfItsOwn) {
  auto directory = Open();
  ASSERT_TRUE(directory.ok()) << directory.status();
  const LaneIdentity& identity = directory->identity();
  EXPECT_FALSE(identity.id.IsNone());
  EXPECT_FALSE(identity.incarnation.IsNone());
  EXPECT_THAT(identity.earlier, IsEmpty());
  EXPECT_EQ(directory->path(), path());
  ASSERT_TRUE(directory->Begin().ok());
  EXPECT_EQ(Identity(), "format 2\nlane " + ToHex(identity.id) + "\ncreated 2026-11-22T22:00:00Z\nincarnation " +
                            ToHex(identity.incarnation) + "\n");
}

TEST_F(LaneDirectoryTest, ALaneKeepsItsIdAndRemembersItsIncarnationsInOrder) {
  const LaneIdentity first = StartOnce();
  clock_.Advance(std::chrono::hours(1));
  const LaneIdentity second = StartOnce();
  const LaneIdentity third = StartOnce();
  EXPECT_EQ(third.id, first.id);
  EXPECT_THAT(second.earlier, ElementsAre(first.incarnation));
  EXPECT_THAT(third.earlier, ElementsAre(first.incarnation, second.incarnation));
  EXPECT_NE(third.incarnation, second.incarnation);
  EXPECT_THAT(Identity(), HasSubstr("\ncreated 2026-11-22T22:00:00Z\n"));
}

TEST_F(LaneDirectoryTest, StartsThatEndBeforeBeginLeaveNothingBehind) {
  const LaneIdentity first = StartOnce();
  const std::string identity = Identity();
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Open()->identity().earlier, ElementsAre(first.incarnation));
  EXPECT_EQ(Identity(), identity);
}

TEST_F(LaneDirectoryTest, BeginningTwiceIsOneStart) {
  auto directory = Open();
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE(directory->Begin().ok());
  const std::string identity = Identity();
  ASSERT_TRUE(directory->Begin().ok());
  EXPECT_EQ(Identity(), identity);
}

// After a failed sync the file looks as written, but a power loss may still undo it.
TEST(LaneDirectoryCrashTest, AnIdentityThatAnEarlierProcessFailedToSyncIsWrittenAgain) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    MemoryDisk disk;
    const ManualClock clock;
    std::mt19937_64 random(seed);
    const auto open = [&] { return LaneDirectory::OpenUnlocked(disk, clock, "/lanes/0"); };
    // The first sync is that of the file, the second one that of its folder.
    disk.FailSync(2);
    ASSERT_FALSE(open()->Prepare().ok());
    auto directory = open();
    ASSERT_TRUE(directory.ok()) << directory.status();
    ASSERT_FALSE(directory->identity().earlier.empty());
    ASSERT_TRUE(directory->Prepare().ok());
    disk.Crash(random);
    EXPECT_EQ(open()->identity().id, directory->identity().id);
  }
}

TEST_F(LaneDirectoryTest, StartsWithoutTheStoreKeepTheFirstPositionAndWriteNoIncarnation) {
  const LaneIdentity first = StartOnce();
  const std::string identity = Identity();
  for (uint64_t end : {100, 200, 300}) {
    auto directory = Open();
    ASSERT_TRUE(directory.ok()) << directory.status();
    EXPECT_EQ(directory->unchecked().has_value(), end > 100);
    ASSERT_TRUE(directory->BeginUnchecked(Position{end}).ok());
    EXPECT_EQ(directory->unchecked(), Position{100});
    EXPECT_EQ(Identity(), identity + "unchecked 100\n");
  }
  auto directory = Open();
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_THAT(directory->identity().earlier, ElementsAre(first.incarnation));
  ASSERT_TRUE(directory->Begin().ok());
  EXPECT_THAT(Identity(), HasSubstr(ToHex(directory->identity().incarnation) + "\nunchecked 100\n"));
  ASSERT_TRUE(directory->EndUnchecked().ok());
  EXPECT_EQ(Identity(), identity + "incarnation " + ToHex(directory->identity().incarnation) + "\n");
}

TEST_F(LaneDirectoryTest, AStoreBeyondWhatWasCheckedIsAnotherHistory) {
  using Verdict = LaneDirectory::Verdict;
  StartOnce();
  auto directory = Open();
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->Judge(Position{100}, Position{100}, false), Verdict::kKeep);
  EXPECT_EQ(directory->Judge(Position{101}, Position{100}, false), Verdict::kAbandon);
  ASSERT_TRUE(directory->BeginUnchecked(Position{100}).ok());
  // The journal has grown since. A farther position in the store belongs to another history, even if the journal now
  // reaches that position.
  EXPECT_EQ(directory->Judge(Position{100}, Position{200}, true), Verdict::kKeep);
  EXPECT_EQ(directory->Judge(Position{150}, Position{200}, true), Verdict::kFenceOff);
  EXPECT_EQ(directory->Judge(Position{150}, Position{200}, false), Verdict::kFenceOff);
  // The lane has accepted no views since.
  EXPECT_EQ(directory->Judge(Position{150}, Position{100}, false), Verdict::kAbandon);
  EXPECT_EQ(directory->Judge(Position{150}, Position{100}, true), Verdict::kFenceOff);
}

TEST_F(LaneDirectoryTest, TheEarliestIncarnationsAreForgottenAtLast) {
  StartOnce();
  std::string text = Identity();
  std::vector<Incarnation> written;
  for (size_t i = 0; i < limits::kIncarnationsKept + 5; ++i) {
    written.push_back(RandomId<Incarnation>());
    text += "incarnation " + ToHex(written.back()) + "\n";
  }
  WriteIdentity(text);
  const LaneIdentity identity = StartOnce();
  ASSERT_EQ(identity.earlier.size(), limits::kIncarnationsKept);
  EXPECT_EQ(identity.earlier.front(), written[5]);
  EXPECT_EQ(identity.earlier.back(), written.back());
  EXPECT_EQ(StartOnce().earlier.size(), limits::kIncarnationsKept);
}

TEST_F(LaneDirectoryTest, IsUsedByOneAtATime) {
  {
    const auto directory = Open();
    ASSERT_TRUE(directory.ok());
    EXPECT_THAT(RefusedWith(), HasSubstr("another viewcountd"));
    EXPECT_TRUE(Open(4).ok());
  }
  EXPECT_FALSE(StartOnce().id.IsNone());
}

TEST_F(LaneDirectoryTest, AnotherProcessHoldsItUntilItDies) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = Open();
    const char answer = held.ok() ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    while (true) pause();
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_THAT(RefusedWith(), HasSubstr("--data-dir"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]), close(ready[1]);
  const auto directory = Open();
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_THAT(directory->identity().earlier, IsEmpty());
}

TEST_F(LaneDirectoryTest, OtherFormatsAreRefused) {
  StartOnce();
  for (const std::string format : {"1", "3"}) {
    WriteIdentity("format " + format + "\nlane 00000000000000000000000000000001\n");
    EXPECT_THAT(RefusedWith(), HasSubstr("format " + format));
  }
}

TEST_F(LaneDirectoryTest, ABrokenIdentityIsRefusedAndLeftAsItIs) {
  StartOnce();
  const std::string good = Identity();
  for (const std::string& broken :
       {good + "lane\n", good + "incarnation 12\n", good + "colour blue\n", good + "unchecked x1\n",
        std::string("format 2\nlane xyz\n"), std::string(), std::string("\0\0\0\0", 4), good.substr(0, good.size() - 5),
        good.substr(0, good.find("incarnation"))}) {
    WriteIdentity(broken);
    EXPECT_THAT(RefusedWith(), HasSubstr("IDENTITY")) << broken;
    EXPECT_EQ(Identity(), broken);
  }
}

TEST_F(LaneDirectoryTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_.path() + "/lanes") << "a file";
  EXPECT_FALSE(Open().ok());
}

TEST_F(LaneDirectoryTest, LanesAreListedByNumber) {
  EXPECT_THAT(*ListLanes(disk_, folder_.path()), IsEmpty());
  for (const uint32_t number : {0u, 2u, 1u, 10u}) ASSERT_TRUE(Open(number).ok());
  // These are no lanes.
  for (const char* name : {"4x", "007", "1-removed"}) {
    std::filesystem::create_directory(folder_.path() + "/lanes/" + name);
  }
  const std::string lanes = folder_.path() + "/lanes/";
  EXPECT_THAT(*ListLanes(disk_, folder_.path()),
              ElementsAre(Pair(0, lanes + "0"), Pair(1, lanes + "1"), Pair(2, lanes + "2"), Pair(10, lanes + "10")));
}

TEST_F(LaneDirectoryTest, RemovingTakesAwayTheWholeFolder) {
  auto directory = Open();
  ASSERT_TRUE(directory.ok() && directory->Begin().ok());
  ASSERT_TRUE(disk_.MakeFolder(path() + "/abandoned-x").ok());
  ASSERT_TRUE(directory->Remove().ok());
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_THAT(*ListLanes(disk_, folder_.path()), IsEmpty());
}

}  // namespace
}  // namespace viewcount
