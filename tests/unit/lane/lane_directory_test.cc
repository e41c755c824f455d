// Whose a lane's folder is, and what it remembers of earlier starts.
#include "service/lane/lane_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "service/base/status.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LaneDirectoryTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/lanes/3"; }
  std::string Identity() const {
    std::stringstream text;
    text << std::ifstream(path() + "/IDENTITY").rdbuf();
    return text.str();
  }
  void WriteIdentity(const std::string& text) const { std::ofstream(path() + "/IDENTITY") << text; }
  // The lane of one start that has ended.
  LaneId StartOnce() const {
    auto directory = LaneDirectory::Open(folder_.path(), 3);
    EXPECT_TRUE(directory.ok()) << directory.status();
    EXPECT_TRUE(directory->Begin().ok());
    return directory->lane();
  }
  std::string RefusedWith() const {
    const auto directory = LaneDirectory::Open(folder_.path(), 3);
    EXPECT_TRUE(absl::IsFailedPrecondition(directory.status())) << directory.status();
    return std::string(ToStd(directory.status().message()));
  }

  TemporaryDirectory folder_;
};

TEST_F(LaneDirectoryTest, IsMadeWithALaneOfItsOwn) {
  auto directory = LaneDirectory::Open(folder_.path(), 3);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_FALSE(directory->lane().IsNone());
  EXPECT_THAT(directory->retired(), IsEmpty());
  ASSERT_TRUE(directory->Begin().ok());
  EXPECT_EQ(Identity(), "format 1\nlane " + ToHex(directory->lane()) + "\n");
}

TEST_F(LaneDirectoryTest, TheLaneOfTheStartBeforeIsRetired) {
  const LaneId first = StartOnce();
  auto directory = LaneDirectory::Open(folder_.path(), 3);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_THAT(directory->retired(), ElementsAre(first));
  EXPECT_NE(directory->lane(), first);
  ASSERT_TRUE(directory->Begin().ok());
  EXPECT_THAT(directory->retired(), IsEmpty());
  EXPECT_EQ(Identity(), "format 1\nlane " + ToHex(directory->lane()) + "\n");
}

TEST_F(LaneDirectoryTest, StartsThatFailLeaveNothingBehind) {
  const LaneId first = StartOnce();
  const std::string identity = Identity();
  for (int i = 0; i < 3; ++i) EXPECT_THAT(LaneDirectory::Open(folder_.path(), 3)->retired(), ElementsAre(first));
  EXPECT_EQ(Identity(), identity);
}

TEST_F(LaneDirectoryTest, IsUsedByOneAtATime) {
  {
    const auto directory = LaneDirectory::Open(folder_.path(), 3);
    ASSERT_TRUE(directory.ok());
    EXPECT_THAT(RefusedWith(), HasSubstr("another viewcountd"));
    EXPECT_TRUE(LaneDirectory::Open(folder_.path(), 4).ok());
  }
  EXPECT_FALSE(StartOnce().IsNone());
}

TEST_F(LaneDirectoryTest, AnotherProcessHoldsItUntilItDies) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = LaneDirectory::Open(folder_.path(), 3);
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
  const auto directory = LaneDirectory::Open(folder_.path(), 3);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_THAT(directory->retired(), IsEmpty());
}

TEST_F(LaneDirectoryTest, ANewerFormatIsRefused) {
  StartOnce();
  WriteIdentity("format 2\nlane 00000000000000000000000000000001\n");
  EXPECT_THAT(RefusedWith(), HasSubstr("format 2"));
}

TEST_F(LaneDirectoryTest, ABrokenIdentityIsRefusedAndLeftAsItIs) {
  StartOnce();
  const std::string good = Identity();
  for (const std::string& broken :
       {good + "lane\n", good + "retired 12\n", good + "colour blue\n", std::string("format 1\nlane xyz\n"),
        std::string(), std::string("\0\0\0\0", 4), good.substr(0, good.size() - 5)}) {
    WriteIdentity(broken);
    EXPECT_THAT(RefusedWith(), HasSubstr("IDENTITY")) << broken;
    EXPECT_EQ(Identity(), broken);
  }
}

TEST_F(LaneDirectoryTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_.path() + "/lanes") << "a file";
  EXPECT_FALSE(LaneDirectory::Open(folder_.path(), 3).ok());
}

}  // namespace
}  // namespace viewcount
