// Tests of AdjustmentLog: an adjustment may be undone, and the undo may itself be undone.
#include "service/adjustments/adjustment_log.h"

#include <gtest/gtest.h>

#include "tests/unit/adjustments/make_adjustment.h"

namespace viewcount {
namespace {

TEST(AdjustmentLog, AnUndoThatIsUndoneDoesNotCount) {
  const Adjustment first = TestAdjustment(1, {{"a", {}, 5}});
  const Adjustment undo = TestAdjustment(2, {{"a", {}, -5}}, first.message.adjustment_id());
  const Adjustment redo = TestAdjustment(3, {{"a", {}, 5}}, undo.message.adjustment_id());
  const Adjustment again = TestAdjustment(4, {{"a", {}, -5}}, first.message.adjustment_id());
  std::map<std::string, std::string> notes;
  const auto is_undone = [&](const Adjustment& newest, const Adjustment& asked) {
    notes.emplace(newest.note_field, newest.note_text);
    return AdjustmentLog(notes).IsUndone(asked.message.adjustment_id());
  };
  EXPECT_FALSE(is_undone(first, first));
  EXPECT_TRUE(is_undone(undo, first));
  EXPECT_FALSE(is_undone(redo, first));
  EXPECT_TRUE(AdjustmentLog(notes).IsUndone(undo.message.adjustment_id()));
  EXPECT_TRUE(is_undone(again, first));
  EXPECT_EQ(AdjustmentLog(notes).Find(redo.message.adjustment_id())->message.unix_ms(), 3);
  EXPECT_EQ(AdjustmentLog(notes).Find("00112233445566778899aabbccddeeff"), nullptr);
}

TEST(AdjustmentLog, ANoteOfSomebodyElseIsLeftOut) {
  const Adjustment mine = TestAdjustment(1, {});
  const AdjustmentLog log({{mine.note_field, mine.note_text}, {"0", "not JSON"}, {"1", "{}"}});
  EXPECT_EQ(log.adjustments().size(), 1u);
}

TEST(Adjustment, IsReadAsItWasJournaled) {
  const Adjustment made = TestAdjustment(7, {{"", {}, int64_t{1} << 53}, {"a", {Window::Kind::kHour, 498'712}, -3}});
  const auto parsed = ParseAdjustment(EncodeAdjustment(made));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->note_field, made.note_field);
  EXPECT_EQ(parsed->note_text, made.note_text);
  EXPECT_EQ(EncodeAdjustment(*ParseAdjustmentNote(made.note_text)), EncodeAdjustment(made));
  EXPECT_FALSE(ParseAdjustment("\xff").ok());
  EXPECT_FALSE(ParseAdjustment("").ok());
}

}  // namespace
}  // namespace viewcount
