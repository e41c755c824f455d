// Dedupe in sequence, and who is forgotten when.
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
  // A gap, so that nothing is taken.
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
  // A duplicate is a sign of life, and so is a gap.
  (void)table.Take(Request(1, 1), kNow + seconds(1));
  (void)table.Take(Request(4, 1), kNow + seconds(2));
  EXPECT_EQ(table.size(), 3u);
  EXPECT_TRUE(Knows(table, 1, kNow + seconds(2)));
  EXPECT_TRUE(Knows(table, 3, kNow + seconds(2)));
  EXPECT_TRUE(Knows(table, 4, kNow + seconds(2)));
  ExpectDecision(table.Take(Request(2, 2), kNow + seconds(2)), Verdict::kUnknown, 0);
}

// A full table must not forget anyone for a batch that it refuses or knows.
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

// Against a list in order of the last batch, over millions of seconds.
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
