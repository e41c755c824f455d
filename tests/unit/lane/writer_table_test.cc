// Tests deduplication by sequence, and the order in which writers are forgotten.
#include "service/lane/writer_table.h"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

using Verdict = WriterTable::Verdict;
using std::chrono::hours;
using std::chrono::seconds;

const SteadyTime kNow = SteadyTime() + hours(1'000);

WriterId Writer(uint8_t number) { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, number}}; }

ViewsRequest Request(uint8_t writer, uint64_t sequence, uint32_t span = 1, bool import = false) {
  ViewsRequest request;
  request.writer = Writer(writer);
  request.sequence = sequence;
  request.sequence_span = span;
  request.import = import;
  return request;
}

void ExpectDecision(const WriterTable::Decision& decision, Verdict verdict, uint64_t last_sequence) {
  EXPECT_EQ(static_cast<int>(decision.verdict), static_cast<int>(verdict));
  EXPECT_EQ(decision.last_sequence, last_sequence);
}

bool Knows(WriterTable& table, uint8_t writer, SteadyTime now) {
  // The sequence leaves a gap, so the table does not accept it.
  return table.Take(Request(writer, 1'000'000), now).verdict == Verdict::kGap;
}

TEST(WriterTable, TakesSequencesInOrderOnce) {
  WriterTable table;
  ExpectDecision(table.Take(Request(1, 1), kNow), Verdict::kNew, 1);
  ExpectDecision(table.Take(Request(1, 2), kNow), Verdict::kNew, 2);
  ExpectDecision(table.Take(Request(1, 2), kNow), Verdict::kDuplicate, 2);
  ExpectDecision(table.Take(Request(1, 1), kNow), Verdict::kDuplicate, 2);
  ExpectDecision(table.Take(Request(1, 4), kNow), Verdict::kGap, 2);
  ExpectDecision(table.Take(Request(1, 3), kNow), Verdict::kNew, 3);
}

TEST(WriterTable, UnknownWritersBeginWithOne) {
  WriterTable table;
  ExpectDecision(table.Take(Request(1, 2), kNow), Verdict::kUnknown, 0);
  EXPECT_EQ(table.size(), 0u);
  ExpectDecision(table.Take(Request(1, 1), kNow), Verdict::kNew, 1);
  ExpectDecision(table.Take(Request(2, 2), kNow), Verdict::kUnknown, 0);
  EXPECT_EQ(table.size(), 1u);
}

TEST(WriterTable, ABatchMayCoverASpan) {
  WriterTable table;
  ExpectDecision(table.Take(Request(1, 1, 100), kNow), Verdict::kNew, 100);
  ExpectDecision(table.Take(Request(1, 100), kNow), Verdict::kDuplicate, 100);
  ExpectDecision(table.Take(Request(1, 51, 100), kNow), Verdict::kDuplicate, 100);
  ExpectDecision(table.Take(Request(1, 102, 5), kNow), Verdict::kGap, 100);
  ExpectDecision(table.Take(Request(1, 101, limits::kSequenceSpanMax), kNow), Verdict::kNew,
                 100 + limits::kSequenceSpanMax);
}

TEST(WriterTable, WhoWasNotHeardOfForLongestIsForgottenFirst) {
  WriterTable table(3);
  for (uint8_t writer : {1, 2, 3}) (void)table.Take(Request(writer, 1), kNow);
  // A duplicate shows that the writer is alive, and so does a gap.
  (void)table.Take(Request(1, 1), kNow + seconds(1));
  (void)table.Take(Request(4, 1), kNow + seconds(2));
  EXPECT_EQ(table.size(), 3u);
  EXPECT_TRUE(Knows(table, 1, kNow + seconds(2)));
  EXPECT_TRUE(Knows(table, 3, kNow + seconds(2)));
  EXPECT_TRUE(Knows(table, 4, kNow + seconds(2)));
  ExpectDecision(table.Take(Request(2, 2), kNow + seconds(2)), Verdict::kUnknown, 0);
}

// A full table must not forget a writer because of a batch that it refuses or knows.
TEST(WriterTable, OnlyANewWriterCostsAnother) {
  WriterTable table(2);
  (void)table.Take(Request(1, 1), kNow);
  (void)table.Take(Request(2, 1), kNow + seconds(1));
  ExpectDecision(table.Take(Request(1, 2), kNow + seconds(2)), Verdict::kNew, 2);
  ExpectDecision(table.Take(Request(1, 2), kNow + seconds(3)), Verdict::kDuplicate, 2);
  ExpectDecision(table.Take(Request(9, 7), kNow + seconds(3)), Verdict::kUnknown, 0);
  ExpectDecision(table.Take(Request(2, 2), kNow + seconds(4)), Verdict::kNew, 2);
  EXPECT_EQ(table.size(), 2u);
}

TEST(WriterTable, ImportsGoLast) {
  WriterTable table(3);
  (void)table.Take(Request(1, 1, 1, true), kNow);
  (void)table.Take(Request(2, 1), kNow + seconds(1));
  (void)table.Take(Request(3, 1), kNow + seconds(2));
  for (uint8_t writer = 4; writer < 10; ++writer) (void)table.Take(Request(writer, 1), kNow + seconds(writer));
  EXPECT_TRUE(Knows(table, 1, kNow + seconds(20)));
  EXPECT_EQ(table.size(), 3u);
}

TEST(WriterTable, AmongImportsTheOldestGoes) {
  WriterTable table(2);
  (void)table.Take(Request(1, 1, 1, true), kNow);
  (void)table.Take(Request(2, 1, 1, true), kNow + seconds(1));
  (void)table.Take(Request(3, 1), kNow + seconds(2));
  EXPECT_TRUE(Knows(table, 2, kNow + seconds(2)));
  EXPECT_TRUE(Knows(table, 3, kNow + seconds(2)));
  EXPECT_EQ(table.size(), 2u);
  ExpectDecision(table.Take(Request(1, 2), kNow + seconds(3)), Verdict::kUnknown, 0);
}

TEST(WriterTable, ADayOfSilenceIsForgottenButNotAnImports) {
  WriterTable table;
  (void)table.Take(Request(1, 1), kNow);
  (void)table.Take(Request(2, 1, 1, true), kNow);
  (void)table.Take(Request(3, 1), kNow + seconds(10));
  const SteadyTime later = kNow + limits::kWriterForgottenAfter;
  ExpectDecision(table.Take(Request(1, 2), later), Verdict::kUnknown, 0);
  ExpectDecision(table.Take(Request(3, 2), later), Verdict::kNew, 2);
  ExpectDecision(table.Take(Request(2, 2, 1, true), kNow + hours(24 * 365)), Verdict::kNew, 2);
}

std::string Merged(WriterTable& table, const std::string& text, SteadyTime now) {
  EXPECT_TRUE(table.Merge(text, now).ok());
  return table.Serialize(now);
}

TEST(WriterTableText, KeepsSequencesImportsAndTheOrderOfForgetting) {
  WriterTable table;
  for (uint8_t writer = 1; writer <= 6; ++writer) {
    (void)table.Take(Request(writer, 1, writer, writer % 3 == 0), kNow + seconds(writer));
  }
  // The first writer sends once more.
  (void)table.Take(Request(1, 1), kNow + seconds(7));
  const std::string text = table.Serialize(kNow + seconds(10));
  WriterTable restored(6);
  EXPECT_EQ(Merged(restored, text, SteadyTime() + hours(5'000)), text);
  EXPECT_EQ(restored.size(), 6u);
  const SteadyTime later = SteadyTime() + hours(5'000);
  ExpectDecision(restored.Take(Request(3, 1), later), Verdict::kDuplicate, 3);
  ExpectDecision(restored.Take(Request(5, 6), later), Verdict::kNew, 6);
  // Writer 2 was silent for longest, then writers 4 and 1. Writers of imports are forgotten last.
  for (const uint8_t forgotten : {2, 4, 1}) {
    (void)restored.Take(Request(static_cast<uint8_t>(100 + forgotten), 1), later);
    EXPECT_FALSE(Knows(restored, forgotten, later)) << int{forgotten};
  }
  for (const uint8_t known : {3, 5, 6}) EXPECT_TRUE(Knows(restored, known, later)) << int{known};
}

// Checkpoints of earlier versions must be read, so these bytes never change.
TEST(WriterTableText, AWriterTakesTheseBytes) {
  WriterTable table;
  (void)table.Take(Request(7, 1, 0x0203, true), kNow);
  std::string bytes(14, '\0');
  bytes += std::string("\x01\x07", 2);
  bytes += std::string("\x03\x02\0\0\0\0\0\0", 8);
  // 300 ms are 0x12C. The number is twice that, plus 1 for the import.
  bytes += std::string("\x59\x02\0\0\0\0\0\0", 8);
  EXPECT_EQ(table.Serialize(kNow + std::chrono::milliseconds(300)), bytes);
}

TEST(WriterTableText, SilenceBeforeCountsButNotTheTimeTheMachineWasDown) {
  WriterTable table;
  (void)table.Take(Request(1, 1), kNow);
  (void)table.Take(Request(2, 1), kNow + hours(20));
  const std::string text = table.Serialize(kNow + hours(23));
  const SteadyTime restart = SteadyTime() + hours(3);
  WriterTable restored;
  ASSERT_TRUE(restored.Merge(text, restart).ok());
  EXPECT_TRUE(Knows(restored, 2, restart));
  // Writer 1 was silent for 23 hours before the restart and for one hour after it.
  ExpectDecision(restored.Take(Request(1, 2), restart + hours(1)), Verdict::kUnknown, 0);
  EXPECT_TRUE(Knows(restored, 2, restart + hours(1)));
}

TEST(WriterTableText, MergingTakesTheHigherSequenceAndTheLaterSign) {
  WriterTable ahead, behind;
  (void)ahead.Take(Request(1, 1, 50), kNow);
  (void)behind.Take(Request(1, 1, 9), kNow + hours(1));
  for (WriterTable* into : {&ahead, &behind}) {
    const std::string other = into == &ahead ? behind.Serialize(kNow + hours(2)) : ahead.Serialize(kNow + hours(2));
    ASSERT_TRUE(into->Merge(other, kNow + hours(2)).ok());
    EXPECT_EQ(into->size(), 1u);
    // At the merge the writer has been silent for one hour. It is forgotten only after 23 more.
    ExpectDecision(into->Take(Request(1, 50), kNow + hours(24)), Verdict::kDuplicate, 50);
  }
}

// When the number of lanes falls, several tables are merged into one. The writer that was silent for longest in any of
// them is forgotten first.
TEST(WriterTableText, TablesMergeInOrderOfSilence) {
  WriterTable first, second;
  for (const uint8_t writer : {1, 3, 5}) (void)first.Take(Request(writer, 1), kNow + seconds(writer));
  for (const uint8_t writer : {2, 4, 6}) (void)second.Take(Request(writer, 1), kNow + seconds(writer));
  WriterTable merged;
  (void)merged.Take(Request(7, 1), kNow + seconds(7));
  const SteadyTime now = kNow + seconds(10);
  ASSERT_TRUE(merged.Merge(first.Serialize(now) + second.Serialize(now), now).ok());
  WriterTable full(7);
  ASSERT_TRUE(full.Merge(merged.Serialize(now), now).ok());
  for (uint8_t writer = 1; writer <= 6; ++writer) {
    (void)full.Take(Request(static_cast<uint8_t>(100 + writer), 1), now + seconds(writer));
    ExpectDecision(full.Take(Request(writer, 2), now + seconds(writer)), Verdict::kUnknown, 0);
    if (writer < 6) {
      EXPECT_TRUE(full.size() == 7u);
    }
  }
  EXPECT_TRUE(Knows(full, 7, now + seconds(10)));
}

TEST(WriterTableText, MergingMoreThanThereIsRoomForForgetsTheLongestSilent) {
  WriterTable large;
  for (uint8_t writer = 1; writer <= 9; ++writer) {
    (void)large.Take(Request(writer, 1, 1, writer == 1), kNow + seconds(writer));
  }
  WriterTable small(4);
  (void)small.Take(Request(50, 1), kNow + seconds(50));
  ASSERT_TRUE(small.Merge(large.Serialize(kNow + seconds(60)), kNow + seconds(60)).ok());
  EXPECT_EQ(small.size(), 4u);
  for (const uint8_t known : {1, 8, 9, 50}) EXPECT_TRUE(Knows(small, known, kNow + seconds(61))) << int{known};
}

TEST(WriterTableText, SplittingMovesWritersWhole) {
  WriterTable table;
  for (uint8_t writer = 1; writer <= 6; ++writer) {
    (void)table.Take(Request(writer, 1, writer, writer > 4), kNow + seconds(writer));
  }
  const auto is_even = [](const WriterId& id, bool) { return id.bytes[15] % 2 == 0; };
  const std::string text = table.Split(is_even, kNow + seconds(10));
  EXPECT_EQ(table.size(), 3u);
  WriterTable other;
  ASSERT_TRUE(other.Merge(text, kNow + seconds(10)).ok());
  EXPECT_EQ(other.size(), 3u);
  for (uint8_t writer = 1; writer <= 6; ++writer) {
    WriterTable& owner = writer % 2 == 0 ? other : table;
    WriterTable& stranger = writer % 2 == 0 ? table : other;
    ExpectDecision(owner.Take(Request(writer, writer), kNow + seconds(10)), Verdict::kDuplicate, writer);
    ExpectDecision(stranger.Take(Request(writer, writer + 1), kNow + seconds(10)), Verdict::kUnknown, 0);
  }
  // The filter also receives whether the writer is an import.
  WriterTable imports;
  ASSERT_TRUE(imports.Merge(table.Split([](const WriterId&, bool import) { return import; }, kNow), kNow).ok());
  EXPECT_EQ(imports.size(), 1u);
}

TEST(WriterTableText, AFilterTakesOnlyWhoBelongs) {
  WriterTable table;
  for (uint8_t writer = 1; writer <= 4; ++writer) (void)table.Take(Request(writer, 1), kNow);
  WriterTable some;
  ASSERT_TRUE(some.Merge(table.Serialize(kNow), kNow, [](const WriterId& id, bool) { return id.bytes[15] == 3; }).ok());
  EXPECT_EQ(some.size(), 1u);
  EXPECT_TRUE(Knows(some, 3, kNow));
}

TEST(WriterTableText, CutOffTextIsRefused) {
  WriterTable table;
  (void)table.Take(Request(1, 1), kNow);
  const std::string text = table.Serialize(kNow);
  WriterTable other;
  EXPECT_TRUE(absl::IsDataLoss(other.Merge(text.substr(1), kNow)));
  EXPECT_TRUE(other.Merge("", kNow).ok());
}

TEST(WriterTable, ReplayTakesTheRecordsSequence) {
  WriterTable table;
  table.Replay(Request(1, 7, 3), kNow);
  ExpectDecision(table.Take(Request(1, 9), kNow), Verdict::kDuplicate, 9);
  // The writer was forgotten meanwhile and began again with sequence 1.
  table.Replay(Request(1, 1, 2), kNow);
  ExpectDecision(table.Take(Request(1, 3), kNow), Verdict::kNew, 3);
  table.Replay(Request(2, 1, 1, true), kNow);
  EXPECT_TRUE(Knows(table, 2, kNow + hours(24 * 365)));
}

// Compares the table with a list in order of the last batch, over nearly a million seconds.
TEST(WriterTable, EqualsAPlainModel) {
  std::mt19937_64 random(TestSeed());
  constexpr size_t kMax = 20;
  WriterTable table(kMax);
  std::map<uint8_t, uint64_t> last;
  std::list<uint8_t> by_age;
  SteadyTime now = kNow;
  for (int i = 0; i < 200'000; ++i) {
    now += seconds(random() % 10);
    const auto writer = static_cast<uint8_t>(random() % 30);
    const auto known = last.find(writer);
    const uint64_t known_last = known == last.end() ? 0 : known->second;
    const uint64_t sequence = std::max<uint64_t>(1, known_last + random() % 4 - std::min<uint64_t>(known_last, 1));
    const auto span = static_cast<uint32_t>(1 + random() % 3);
    const auto decision = table.Take(Request(writer, sequence, span), now);
    if (known == last.end() && sequence != 1) {
      ExpectDecision(decision, Verdict::kUnknown, 0);
    } else if (sequence <= known_last) {
      ExpectDecision(decision, Verdict::kDuplicate, known_last);
      by_age.remove(writer), by_age.push_back(writer);
    } else if (sequence > known_last + 1) {
      ExpectDecision(decision, Verdict::kGap, known_last);
      by_age.remove(writer), by_age.push_back(writer);
    } else {
      ExpectDecision(decision, Verdict::kNew, sequence + span - 1);
      if (known == last.end() && last.size() == kMax) {
        last.erase(by_age.front());
        by_age.pop_front();
      }
      last[writer] = sequence + span - 1;
      by_age.remove(writer), by_age.push_back(writer);
    }
    ASSERT_EQ(table.size(), last.size()) << "after " << i;
    ASSERT_FALSE(HasFailure()) << "after " << i;
  }
}

}  // namespace
}  // namespace viewcount
