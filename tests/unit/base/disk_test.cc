// Tests the contract of Disk on the machine's disk and on the disk in memory.
#include "service/base/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "service/base/files.h"
#include "tests/support/memory_disk.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

template <typename TestedDisk>
class DiskTest : public ::testing::Test {
 protected:
  DiskTest() { EXPECT_TRUE(disk_.MakeFolder(folder_).ok()); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Text(const std::string& name) {
    const auto text = ReadFile(disk_, Path(name));
    EXPECT_TRUE(text.ok()) << text.status();
    return text.ok() ? *text : "";
  }

  TemporaryDirectory directory_;
  const std::string folder_ = directory_.path() + "/a/b";
  TestedDisk disk_;
};
using Disks = ::testing::Types<PosixDisk, MemoryDisk>;
TYPED_TEST_SUITE(DiskTest, Disks);

TYPED_TEST(DiskTest, WhatIsWrittenIsRead) {
  auto file = *this->disk_.Create(this->Path("f"));
  ASSERT_TRUE(file->Write(3, "abc").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(*file->Size(), 6u);
  EXPECT_EQ(this->Text("f"), std::string("\0\0\0abc", 6));
  char two[2];
  EXPECT_EQ(*file->Read(5, two), 1u);
  EXPECT_EQ(two[0], 'c');
  EXPECT_EQ(*file->Read(6, two), 0u);
  EXPECT_EQ(*file->Read(100, two), 0u);
}

TYPED_TEST(DiskTest, AllocatedBytesAreZeroAndNoneGoAway) {
  auto file = *this->disk_.Create(this->Path("f"));
  ASSERT_TRUE(file->Write(0, "abc").ok());
  ASSERT_TRUE(file->Allocate(2'000).ok());
  ASSERT_TRUE(file->Allocate(10).ok());
  EXPECT_EQ(*file->Size(), 2'000u);
  ASSERT_TRUE(file->Truncate(2).ok());
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(this->Text("f"), std::string("ab\0\0", 4));
}

TYPED_TEST(DiskTest, ANewFileIsEmpty) {
  ASSERT_TRUE((*this->disk_.Create(this->Path("f")))->Write(0, "abc").ok());
  ASSERT_TRUE(this->disk_.Create(this->Path("f")).ok());
  EXPECT_EQ(this->Text("f"), "");
}

TYPED_TEST(DiskTest, ARenamedFileReplacesAnother) {
  ASSERT_TRUE((*this->disk_.Create(this->Path("f")))->Write(0, "f").ok());
  ASSERT_TRUE((*this->disk_.Create(this->Path("g")))->Write(0, "g").ok());
  ASSERT_TRUE(this->disk_.Rename(this->Path("f"), this->Path("g")).ok());
  ASSERT_TRUE(this->disk_.SyncFolder(this->folder_).ok());
  EXPECT_EQ(this->Text("g"), "f");
  EXPECT_THAT(*this->disk_.List(this->folder_), UnorderedElementsAre("g"));
}

TYPED_TEST(DiskTest, WhatDoesNotExistIsNotFound) {
  const std::string path = this->Path("none");
  EXPECT_TRUE(absl::IsNotFound(this->disk_.Open(path).status()));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.OpenForReading(path).status()));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.Rename(path, this->Path("f"))));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.Remove(path)));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.List(path).status()));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.SyncFolder(path)));
  EXPECT_TRUE(absl::IsNotFound(this->disk_.Create(path + "/f").status()));
  EXPECT_THAT(this->disk_.Open(path).status().ToString(), HasSubstr(path));
}

TYPED_TEST(DiskTest, AFileOpenedForReadingIsNotWritten) {
  ASSERT_TRUE(this->disk_.Create(this->Path("f")).ok());
  EXPECT_FALSE((*this->disk_.OpenForReading(this->Path("f")))->Write(0, "x").ok());
}

TYPED_TEST(DiskTest, ASmallFileIsReplacedAsAWhole) {
  ASSERT_TRUE(WriteFileDurably(this->disk_, this->Path("f"), "old").ok());
  ASSERT_TRUE(WriteFileDurably(this->disk_, this->Path("f"), "new").ok());
  EXPECT_EQ(this->Text("f"), "new");
  EXPECT_THAT(*this->disk_.List(this->folder_), UnorderedElementsAre("f"));
}

TEST(PosixDiskTest, FilesAndFoldersAreTheOwnersOnly) {
  const TemporaryDirectory directory;
  PosixDisk disk;
  ASSERT_TRUE(disk.MakeFolder(directory.path() + "/a/b/").ok());
  ASSERT_TRUE(disk.Create(directory.path() + "/a/b/f").ok());
  struct stat status;
  ASSERT_EQ(stat((directory.path() + "/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((directory.path() + "/a/b/f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto made = disk.MakeFolder(directory.path() + "/a/b/f/c");
  EXPECT_THAT(made.ToString(), HasSubstr("--data-dir"));
}

TEST(PosixDiskTest, AFullDiskIsExhausted) {
  PosixDisk disk;
  auto file = disk.Open("/dev/full");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::IsResourceExhausted((*file)->Write(0, "x")));
}

TEST(MemoryDiskTest, ACrashTakesWhatWasNotSynced) {
  bool kept = false;
  bool lost = false;
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.MakeFolder("/d").ok());
    auto file = *disk.Create("/d/f");
    ASSERT_TRUE(file->Write(0, "durable").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk.SyncFolder("/d").ok());
    ASSERT_TRUE(file->Write(0, "written").ok());
    disk.Crash(random);
    EXPECT_FALSE(file->Size().ok());
    const std::string text = *ReadFile(disk, "/d/f");
    kept |= text == "written";
    lost |= text == "durable";
  }
  EXPECT_TRUE(kept && lost);
}

}  // namespace
}  // namespace viewcount
