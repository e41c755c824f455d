// Tests which segments of a journal are kept and which are deleted, and how the journal behaves without room for more.
#include <set>

#include "service/base/limits.h"
#include "tests/support/gated_disk.h"
#include "tests/unit/journal/journal_fixture.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;

class RetentionTest : public JournalTest {
 protected:
  // Each group fills one segment.
  void WriteSegments(int count) {
    for (int i = 0; i < count; ++i) Write({std::string(3'900, static_cast<char>('a' + i))});
  }
  size_t Spares() {
    size_t spares = 0;
    const auto names = disk().List(options_.folder);
    for (const std::string& name : *names) spares += name.ends_with(".spare");
    return spares;
  }
};

TEST_F(RetentionTest, OldSegmentsGoWhenTheyAreNeitherNeededNorYoung) {
  Open();
  WriteSegments(4);
  const auto segments = Segments();
  ASSERT_TRUE(writer_->Maintain(segments[2]).ok());
  EXPECT_EQ(Segments().size(), 4u);
  clock_.Advance(std::chrono::minutes(9));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_EQ(Segments().size(), 4u);
  clock_.Advance(std::chrono::minutes(1));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_THAT(Segments(), ElementsAre(segments[2], segments[3]));
  EXPECT_EQ(writer_->begin(), segments[2]);
  clock_.Advance(std::chrono::minutes(10));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_THAT(Segments(), ElementsAre(segments[3]));
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre(std::string(3'900, 'd')));
}

TEST_F(RetentionTest, ASegmentStaysAsLongAsItIsPinned) {
  Open();
  WriteSegments(4);
  const auto segments = Segments();
  {
    JournalWriter::Pin pin = writer_->Hold({segments[2].value - 1});
    const JournalWriter::Pin moved = std::move(pin);
    ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
    clock_.Advance(std::chrono::hours(1));
    ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
    EXPECT_EQ(writer_->begin(), segments[1]);
  }
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_EQ(writer_->begin(), segments[3]);
}

TEST_F(RetentionTest, OldSegmentsAreUsedAgainAndWhatWasInThemIsNot) {
  Open();
  std::set<std::string> seen;
  for (int round = 0; round < 20; ++round) {
    Write({std::string(1'000, 'x')});
    Write({std::string(2'000, 'y')});
    ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
    clock_.Advance(std::chrono::hours(1));
    ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
    EXPECT_LE(Spares(), limits::kJournalSparesMax);
    EXPECT_LE(writer_->bytes(), (1 + limits::kJournalSparesMax) * options_.segment_bytes);
  }
  // Only some bytes of the reused file are overwritten. The bytes after them belong to an older segment.
  Write({std::string(2'500, 'w')});
  Write({"v"});
  const std::string bytes = Contents(PathOf(Segments().back()));
  EXPECT_TRUE(bytes.find("yyyy") != std::string::npos);
  const auto expected = ReadAll();
  Open();
  EXPECT_EQ(ReadAll(), expected);
  EXPECT_EQ(expected.back(), "v");
}

TEST_F(RetentionTest, AtMostSoManySparesAreKept) {
  Open();
  WriteSegments(8);
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_EQ(Spares(), limits::kJournalSparesMax);
  EXPECT_EQ(writer_->bytes(), (1 + limits::kJournalSparesMax) * options_.segment_bytes);
}

TEST_F(RetentionTest, OverTheBudgetNothingIsTakenUntilThereIsRoom) {
  options_.budget_bytes = 3 * options_.segment_bytes;
  Open();
  WriteSegments(3);
  const Position end = writer_->end();
  for (int i = 0; i < 3; ++i) {
    const auto status = TryWrite({std::string(3'900, 'x')});
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(status.GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
    EXPECT_EQ(writer_->end(), end);
    EXPECT_EQ(writer_->bytes(), options_.budget_bytes);
  }
  // Segments that are needed are kept. The others are deleted before their retention ends.
  EXPECT_TRUE(absl::IsResourceExhausted(writer_->Maintain({0})));
  EXPECT_EQ(Segments().size(), 3u);
  ASSERT_TRUE(writer_->Maintain(end).ok());
  EXPECT_EQ(Segments().size(), 2u);
  Write({std::string(3'900, 'x')});
  EXPECT_EQ(Segments().size(), 3u);
}

TEST_F(RetentionTest, TheNewestSegmentStays) {
  Open();
  WriteSegments(1);
  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(writer_->Maintain(writer_->end()).ok());
  EXPECT_EQ(Segments().size(), 1u);
}

TEST_F(RetentionTest, APinMayOutliveTheJournal) {
  Open();
  WriteSegments(1);
  const auto pin = writer_->Hold({0});
  writer_.reset();
}

TEST_F(RetentionTest, AFullBudgetIsSharedOutAgainWithoutWaitingForUpkeep) {
  options_.budget_bytes = 4 * options_.segment_bytes;
  Open();
  WriteSegments(4);
  ASSERT_TRUE(writer_->Maintain(Segments()[3]).ok());
  // Three segments may be deleted. One has already become a spare, and two are left.
  for (int i = 0; i < 3; ++i) Write({std::string(3'900, static_cast<char>('e' + i))});
  EXPECT_EQ(writer_->bytes(), options_.budget_bytes);
  EXPECT_TRUE(absl::IsResourceExhausted(TryWrite({std::string(3'900, 'x')})));
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre(std::string(3'900, 'd'), std::string(3'900, 'e'), std::string(3'900, 'f'),
                                     std::string(3'900, 'g')));
}

class EvictionTest : public RetentionTest {
 protected:
  Disk& disk() override { return gate_; }
  GatedDisk gate_{posix_};
};

TEST_F(EvictionTest, WhatIsDurableLeavesTheMachinesMemory) {
  constexpr size_t kGroups = 30;
  constexpr size_t kGroupBytes = 100'000;
  constexpr uint64_t kLeftMax = (1 << 20) + 4'096 + kGroupBytes;
  options_.segment_bytes = 4 << 20;
  options_.budget_bytes = 64 << 20;
  Open();
  for (size_t i = 0; i < kGroups; ++i) Write({std::string(kGroupBytes, 'v')});
  EXPECT_GE(gate_.EvictedBytes() + kLeftMax, kGroups * kGroupBytes);
  EXPECT_EQ(ReadAll().size(), kGroups);
}

}  // namespace
}  // namespace viewcount
