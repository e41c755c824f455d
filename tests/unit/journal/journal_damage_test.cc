// Tests damaged journals. A group that a crash tore is cut off. Broken records that were durable are refused, with
// their file and offset.
#include <random>

#include "tests/support/seed.h"
#include "tests/unit/journal/journal_fixture.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JournalDamageTest : public JournalTest {
 protected:
  // Writes two groups. Keeps the segment's bytes and the position at which the second group begins.
  void Prepare() {
    Open();
    Write({"early", "bird"});
    last_group_ = writer_->end().value;
    Write({"second", "to", "none"});
    end_ = writer_->end().value;
    writer_.reset();
    bytes_ = Contents(PathOf({0}));
  }
  // Returns the number of whole records of the last group before `offset`.
  static size_t WholeBefore(uint64_t offset) {
    size_t whole = 0;
    uint64_t end = 0;
    for (const size_t payload : {6u, 2u, 4u}) {
      end += kRecordHeaderBytes + payload;
      whole += end <= offset;
    }
    return whole;
  }
  void ExpectCutTo(size_t whole) {
    Payloads expected{"early", "bird", "second", "to", "none"};
    expected.resize(2 + whole);
    Open();
    ASSERT_EQ(ReadAll(), expected);
    // No record of the torn group reappears, however far the next group reaches.
    Write({"new"});
    expected.push_back("new");
    Open();
    ASSERT_EQ(ReadAll(), expected);
  }
  std::string Refused() {
    const auto opened = TryOpen();
    EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
    return std::string(ToStd(opened.status().message()));
  }

  uint64_t last_group_ = 0;
  uint64_t end_ = 0;
  std::string bytes_;
};

TEST_F(JournalDamageTest, ATornTailIsCutOffWhereverItIsTorn) {
  Prepare();
  std::mt19937_64 random(TestSeed());
  for (uint64_t cut = last_group_; cut < end_; ++cut) {
    SCOPED_TRACE(cut);
    const size_t whole = WholeBefore(cut - last_group_);
    SetContents(PathOf({0}), bytes_.substr(0, cut));
    ExpectCutTo(whole);
    std::string zeroed = bytes_;
    for (uint64_t i = cut; i < end_; ++i) zeroed[i] = '\0';
    SetContents(PathOf({0}), zeroed);
    ExpectCutTo(whole);
    std::string garbage = bytes_;
    garbage[cut] = static_cast<char>(~garbage[cut]);
    for (uint64_t i = cut + 1; i < garbage.size(); ++i) garbage[i] = static_cast<char>(random());
    SetContents(PathOf({0}), garbage);
    ExpectCutTo(whole);
  }
}

TEST_F(JournalDamageTest, AHoleInTheLastGroupIsCutOffWithWhatIsBehind) {
  Prepare();
  // The group's first record never reached the disk, but its other records did.
  for (uint64_t i = 0; i < kRecordHeaderBytes; ++i) bytes_[last_group_ + i] = '\0';
  SetContents(PathOf({0}), bytes_);
  // The record of the next group ends exactly where the old second record began.
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("early", "bird"));
  Write({"sixsix"});
  writer_.reset();
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("early", "bird", "sixsix"));
}

TEST_F(JournalDamageTest, AFlippedBitInAnEarlierGroupIsRefused) {
  Prepare();
  for (uint64_t i = kSegmentHeaderBytes; i < last_group_; ++i) {
    SetContents(PathOf({0}), bytes_);
    Flip(PathOf({0}), i, static_cast<int>(i % 8));
    const std::string message = Refused();
    const uint64_t second = kSegmentHeaderBytes + kRecordHeaderBytes + 5;
    EXPECT_THAT(message,
                HasSubstr(PathOf({0}) + " at offset " + std::to_string(i < second ? kSegmentHeaderBytes : second)));
    EXPECT_THAT(message, HasSubstr("viewcount journal repair " + options_.folder));
  }
}

TEST_F(JournalDamageTest, AFlippedBitInTheHeaderIsRefused) {
  Prepare();
  for (uint64_t i = 0; i < kSegmentHeaderBytes; ++i) {
    SetContents(PathOf({0}), bytes_);
    Flip(PathOf({0}), i, static_cast<int>(i % 8));
    EXPECT_THAT(Refused(), HasSubstr(PathOf({0}) + " at offset 0"));
  }
}

TEST_F(JournalDamageTest, AFlippedBitInTheLastGroupIsRefusedOnceItIsSealed) {
  Prepare();
  Open();
  writer_->WriteCommitMarker();
  writer_.reset();
  bytes_ = Contents(PathOf({0}));
  for (uint64_t i = last_group_; i < end_; ++i) {
    SetContents(PathOf({0}), bytes_);
    Flip(PathOf({0}), i);
    Refused();
  }
}

TEST_F(JournalDamageTest, ASealThatTheNextGroupLostIsNoProof) {
  Open();
  Write({"a"});
  const uint64_t seal = writer_->end().value;
  writer_->WriteCommitMarker();
  Write({"b"});
  writer_.reset();
  Flip(PathOf({0}), seal);
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("a"));
}

TEST_F(JournalDamageTest, ABrokenRecordBeforeTheNewestSegmentIsRefusedWhenItIsRead) {
  Open();
  Write({"a"});
  Write({std::string(4'000, 'x')});
  Flip(PathOf({0}), kSegmentHeaderBytes + kRecordHeaderBytes);
  const auto read = TryRead(writer_->begin(), writer_->end());
  EXPECT_TRUE(absl::IsDataLoss(read.status())) << read.status();
  EXPECT_THAT(std::string(ToStd(read.status().message())), HasSubstr(PathOf({0}) + " at offset 64"));
}

TEST_F(JournalDamageTest, ASegmentThatEndsElsewhereThanTheNextSaysIsRefused) {
  Open();
  Write({"a"});
  Write({"b"});
  const uint64_t last = writer_->end().value - kRecordHeaderBytes - 1;
  Write({std::string(4'000, 'x')});
  writer_.reset();
  Flip(PathOf({0}), last);
  EXPECT_THAT(Refused(), HasSubstr(PathOf({0}) + " at offset " + std::to_string(last)));
}

TEST_F(JournalDamageTest, AMissingMiddleSegmentIsRefused) {
  Open();
  for (int i = 0; i < 3; ++i) Write({std::string(3'000, 'x')});
  const auto segments = Segments();
  ASSERT_EQ(segments.size(), 3u);
  writer_.reset();
  ASSERT_TRUE(disk().Remove(PathOf(segments[1])).ok());
  const auto opened = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(std::string(ToStd(opened.status().message())), HasSubstr(PathOf(segments[1]) + " is missing"));
}

TEST_F(JournalDamageTest, ANewerFormatIsRefused) {
  Prepare();
  SegmentHeader header{.version = kJournalFormatVersion + 1, .lane = options_.lane};
  const auto bytes = EncodeSegmentHeader(header);
  SetContents(PathOf({0}), std::string(bytes.data(), bytes.size()) + bytes_.substr(bytes.size()));
  const auto opened = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(std::string(ToStd(opened.status().message())), HasSubstr("format 4"));
}

// Parts of imports are in segments of format 3 only. An older viewcountd would count them and forget their sequences.
class JournalFormatTest : public JournalDamageTest, public testing::WithParamInterface<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Older, JournalFormatTest, testing::Values(1U, 2U));

TEST_P(JournalFormatTest, AnOlderFormatIsReadAndGoneOnWithInASegmentOfItsOwn) {
  Prepare();
  SegmentHeader header{.version = GetParam(), .lane = options_.lane};
  const auto bytes = EncodeSegmentHeader(header);
  SetContents(PathOf({0}), std::string(bytes.data(), bytes.size()) + bytes_.substr(bytes.size()));
  auto opened = TryOpen();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->end(), Position{end_});
  ASSERT_TRUE((*opened)->Begin(1, 1).ok());
  (*opened)->Append(RecordType::kSite, "x");
  ASSERT_TRUE((*opened)->Commit().ok());
  // The version, which an older program reads before anything else.
  EXPECT_EQ(Contents(PathOf({end_})).substr(8, 4), std::string("\3\0\0\0", 4));
  EXPECT_TRUE(TryOpen().ok());
}

TEST_F(JournalDamageTest, ARenamedSegmentIsRefused) {
  Prepare();
  ASSERT_TRUE(disk().Rename(PathOf({0}), PathOf({1'000})).ok());
  const auto opened = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
}

TEST_F(JournalDamageTest, SparesOfAnEarlierProcessGo) {
  Prepare();
  SetContents(SparePath(options_.folder, 77), bytes_);
  Open();
  EXPECT_TRUE(absl::IsNotFound(disk().OpenForReading(SparePath(options_.folder, 77)).status()));
}

}  // namespace
}  // namespace viewcount
