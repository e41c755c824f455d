// Tests that a journal returns the records that were written, across restarts and segments.
#include <random>

#include "tests/support/seed.h"
#include "tests/unit/journal/journal_fixture.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(JournalTest, AnEmptyJournalBeginsWhereItIsTold) {
  options_.begin = {1'234};
  Open();
  EXPECT_EQ(writer_->begin(), Position{1'234});
  EXPECT_EQ(writer_->end(), Position{1'234});
  EXPECT_THAT(ReadAll(), IsEmpty());
  writer_->WriteCommitMarker();
  Open();
  EXPECT_THAT(Segments(), IsEmpty());
  Write({"first"});
  EXPECT_THAT(Segments(), ElementsAre(Position{1'234}));
  EXPECT_THAT(ReadAll(), ElementsAre("first"));
}

TEST_F(JournalTest, WhatIsWrittenIsRead) {
  Open();
  Write({"a", "", std::string(500, 'x')});
  ASSERT_TRUE(writer_->Begin(1, 7).ok());
  const Position end = writer_->Append(RecordType::kSite, "head", "er!");
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(writer_->end(), end);
  EXPECT_THAT(ReadAll(), ElementsAre("a", "", std::string(500, 'x'), "header!"));
}

TEST_F(JournalTest, PositionsNameWhatIsRead) {
  Open();
  Write({"a"});
  const Position from = writer_->end();
  Write({"b"});
  const Position to = writer_->end();
  Write({"c"});
  // The result includes the earlier records of the segment.
  EXPECT_THAT(*TryRead(from, to), ElementsAre("a", "b"));
  EXPECT_THAT(*TryRead(from, from), IsEmpty());
}

TEST_F(JournalTest, AJournalThatIsOpenedAgainGoesOn) {
  Open();
  Write({"a"});
  const Position end = writer_->end();
  Open();
  EXPECT_EQ(writer_->end(), end);
  Write({"b"});
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("a", "b"));
}

TEST_F(JournalTest, AGroupThatDoesNotFitBeginsASegment) {
  Open();
  Payloads written;
  for (int i = 0; i < 40; ++i) {
    written.push_back(std::to_string(i) + std::string(300, 'x'));
    Write({written.back()});
  }
  EXPECT_GE(Segments().size(), 3u);
  EXPECT_THAT(ReadAll(), ElementsAreArray(written));
  Open();
  EXPECT_THAT(ReadAll(), ElementsAreArray(written));
  EXPECT_THAT(*TryRead(Segments()[1], Segments()[2]),
              ElementsAreArray(Payloads(written.begin() + 12, written.begin() + 24)));
}

TEST_F(JournalTest, AGroupLargerThanASegmentGetsALargerOne) {
  Open();
  Write({"a"});
  Write({std::string(20'000, 'x'), "b"});
  EXPECT_THAT(ReadAll(), ElementsAre("a", std::string(20'000, 'x'), "b"));
}

TEST_F(JournalTest, EverySegmentBeginsWithThePreamble) {
  Open();
  int asked = 0;
  writer_->SetPreamble([&] {
    return std::vector<RecordDraft>{{RecordType::kSite, "site " + std::to_string(++asked)},
                                    {RecordType::kTotals, "totals"}};
  });
  Write({"a"});
  Write({"b"});
  EXPECT_EQ(asked, 1);
  EXPECT_THAT(ReadAll(), ElementsAre("site 1", "totals", "a", "b"));
  Write({std::string(3'920, 'x')});
  EXPECT_THAT(*TryRead(Segments()[1], writer_->end()), ElementsAre("site 2", "totals", std::string(3'920, 'x')));
  EXPECT_EQ(asked, 2);
}

TEST_F(JournalTest, AGroupThatIsBegunAgainIsForgotten) {
  Open();
  ASSERT_TRUE(writer_->Begin(1, 4).ok());
  writer_->Append(RecordType::kViews, "lost");
  Write({"kept"});
  EXPECT_THAT(ReadAll(), ElementsAre("kept"));
}

TEST_F(JournalTest, TheSealIsNotSeenAndDoesNotMoveTheEnd) {
  Open();
  Write({"a"});
  const Position end = writer_->end();
  writer_->WriteCommitMarker();
  writer_->WriteCommitMarker();
  EXPECT_EQ(writer_->end(), end);
  Write({"b"});
  EXPECT_EQ(writer_->end().value, end.value + 2 * kRecordHeaderBytes + 1);
  writer_->WriteCommitMarker();
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("a", "b"));
  const Position sealed = writer_->end();
  writer_->WriteCommitMarker();
  Write({"c"});
  EXPECT_EQ(writer_->end().value, sealed.value + kRecordHeaderBytes + 1);
  EXPECT_THAT(ReadAll(), ElementsAre("a", "b", "c"));
}

TEST_F(JournalTest, ASegmentMayFollowASeal) {
  Open();
  for (int i = 0; i < 10; ++i) {
    Write({std::string(1'900, 'x')});
    writer_->WriteCommitMarker();
  }
  EXPECT_EQ(ReadAll().size(), 10u);
  Open();
  EXPECT_EQ(ReadAll().size(), 10u);
}

TEST_F(JournalTest, IsReadBesideTheWriter) {
  Open();
  Write({"a", "b"});
  const auto pin = writer_->Hold(writer_->begin());
  auto reader = JournalReader::Open(disk(), options_.folder, options_.lane, writer_->begin(), writer_->end());
  ASSERT_TRUE(reader.ok());
  Record record;
  ASSERT_TRUE(*reader->Next(record));
  for (int i = 0; i < 30; ++i) Write({std::string(300, 'x')});
  ASSERT_TRUE(*reader->Next(record));
  EXPECT_EQ(record.payload, "b");
  EXPECT_FALSE(*reader->Next(record));
}

TEST_F(JournalTest, WhatIsBeforeTheFirstSegmentIsOutOfRange) {
  options_.begin = {1'000};
  Open();
  EXPECT_TRUE(absl::IsOutOfRange(TryRead({1'000}, {2'000}).status()));
  Write({"a"});
  EXPECT_TRUE(absl::IsOutOfRange(TryRead({999}, writer_->end()).status()));
  EXPECT_TRUE(TryRead({1'000}, writer_->end()).ok());
}

TEST_F(JournalTest, RandomGroupsComeBack) {
  std::mt19937_64 random(TestSeed());
  Open();
  Payloads written;
  for (int round = 0; round < 300; ++round) {
    Payloads group(random() % 4);
    for (std::string& payload : group) payload = std::string(random() % 600, static_cast<char>('a' + random() % 26));
    Write(group);
    written.insert(written.end(), group.begin(), group.end());
    if (random() % 3 == 0) writer_->WriteCommitMarker();
    if (random() % 10 == 0) Open();
    if (random() % 10 == 0) {
      ASSERT_TRUE(writer_->Maintain({0}).ok());
    }
  }
  EXPECT_EQ(ReadAll(), written);
}

TEST_F(JournalTest, AnotherLanesJournalIsRefused) {
  Open();
  Write({"a"});
  options_.lane = LaneId{{9}};
  const auto opened = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(std::string(ToStd(opened.status().message())), HasSubstr("09000000000000000000000000000000"));
}

}  // namespace
}  // namespace viewcount
