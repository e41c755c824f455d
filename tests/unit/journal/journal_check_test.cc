// Tests that damage is reported. A repair must leave every whole record at its position.
#include "service/journal/journal_check.h"

#include <algorithm>
#include <random>

#include "tests/support/memory_disk.h"
#include "tests/support/seed.h"
#include "tests/unit/journal/journal_fixture.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalCheckTest : public JournalTest {
 protected:
  JournalCheckTest() {
    options_.folder = "/journal";
    EXPECT_TRUE(memory_.MakeFolder(options_.folder).ok());
  }
  Disk& disk() override { return memory_; }
  JournalReport Verify() {
    const auto report = VerifyJournal(memory_, options_.folder);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : JournalReport();
  }
  JournalReport Repair() {
    const auto report = RepairJournal(memory_, options_.folder);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : JournalReport();
  }
  void ExpectWhole() {
    const JournalReport report = Verify();
    EXPECT_THAT(report.broken, IsEmpty());
    EXPECT_EQ(report.torn_bytes, 0u);
  }

  MemoryDisk memory_;
};

TEST_F(JournalCheckTest, AnEmptyFolderIsInOrder) { EXPECT_EQ(Verify().segments, 0u); }

TEST_F(JournalCheckTest, AWholeJournalIsTold) {
  Open();
  Write({"a", "bcd"});
  writer_->WriteCommitMarker();
  Write({std::string(4'000, 'x')});
  const Position end = writer_->end();
  writer_.reset();
  const JournalReport report = Verify();
  EXPECT_EQ(report.segments, 2u);
  EXPECT_EQ(report.records, 3u);
  EXPECT_EQ(report.bytes, 3 * kRecordHeaderBytes + 4'004);
  EXPECT_EQ(report.begin, Position{0});
  EXPECT_EQ(report.end, end);
  EXPECT_EQ(report.torn_bytes, 0u);
  EXPECT_THAT(report.broken, IsEmpty());
}

TEST_F(JournalCheckTest, ABrokenRecordIsTakenOutAndTheOthersKeepTheirPlaces) {
  const std::string path = PathOf({0});
  for (const uint64_t at : {0u, 8u, 22u}) {
    Open();
    const Position begin = writer_->end();
    Write({"first", "second"});
    const Position second = writer_->end();
    Write({"third"});
    const Position end = writer_->end();
    writer_.reset();
    const uint64_t offset = std::max(begin.value, uint64_t{kSegmentHeaderBytes});
    memory_.FlipBit(path, offset + at, 3);
    const JournalReport report = Repair();
    ASSERT_EQ(report.broken.size(), 1u);
    EXPECT_EQ(report.broken[0].file, path);
    EXPECT_EQ(report.broken[0].offset, offset);
    EXPECT_EQ(report.broken[0].bytes, kRecordHeaderBytes + 5);
    EXPECT_EQ(report.lost_bytes, kRecordHeaderBytes + 5);
    ExpectWhole();
    EXPECT_EQ(Repair().lost_bytes, 0u);
    Open();
    EXPECT_EQ(writer_->end(), end);
    const auto read = *TryRead(second, end);
    EXPECT_EQ(read.back(), "third");
    EXPECT_EQ(read[read.size() - 2], "second");
  }
}

TEST_F(JournalCheckTest, ATornTailIsToldAndCutOff) {
  Open();
  Write({"a"});
  const uint64_t torn = writer_->end().value;
  Write({"bcd"});
  writer_.reset();
  memory_.FlipBit(PathOf({0}), torn + kRecordHeaderBytes, 0);
  EXPECT_EQ(Verify().torn_bytes, kRecordHeaderBytes + 3);
  const JournalReport report = Repair();
  EXPECT_EQ(report.lost_bytes, 0u);
  EXPECT_EQ(report.end, Position{torn});
  ExpectWhole();
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("a"));
}

TEST_F(JournalCheckTest, WhatCannotBeMendedIsSaid) {
  Open();
  for (int i = 0; i < 3; ++i) Write({std::string(3'000, 'x')});
  const auto segments = Segments();
  writer_.reset();
  ASSERT_TRUE(memory_.Remove(PathOf(segments[1])).ok());
  const auto report = RepairJournal(memory_, options_.folder);
  EXPECT_TRUE(absl::IsFailedPrecondition(report.status()));
  EXPECT_THAT(report.status().ToString(), HasSubstr(PathOf(segments[1])));
}

TEST_F(JournalCheckTest, AfterRandomDamageAndRepairTheJournalIsInOrderAndLostNothingWhole) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(round);
    options_.folder = "/journal/" + std::to_string(round);
    ASSERT_TRUE(memory_.MakeFolder(options_.folder).ok());
    Open();
    size_t written = 0;
    for (; written < 60; ++written) Write({std::to_string(written) + std::string(random() % 300, 'x')});
    writer_->WriteCommitMarker();
    const Position end = writer_->end();
    writer_.reset();
    const auto segments = Segments();
    const size_t flips = 1 + random() % 4;
    for (size_t i = 0; i < flips; ++i) {
      const uint64_t at = random() % end.value;
      const Position start = *(std::upper_bound(segments.begin(), segments.end(), Position{at}) - 1);
      memory_.FlipBit(PathOf(start), at - start.value, static_cast<int>(random() % 8));
    }
    const JournalReport report = Repair();
    ASSERT_GE(report.broken.size(), 1u);
    // The repair of a segment's last record may also change the header that the next segment must have. One flipped bit
    // is then reported twice.
    ASSERT_LE(report.broken.size(), 2 * flips);
    ExpectWhole();
    ASSERT_NO_FATAL_FAILURE(Open());
    EXPECT_GE(writer_->end(), end);
    const auto read = ReadAll();
    EXPECT_GE(read.size(), written - flips);
    EXPECT_EQ(read.size(), report.records);
  }
}

}  // namespace
}  // namespace viewcount
