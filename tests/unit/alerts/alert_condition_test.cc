// Tests when the condition of an alert holds.
#include "service/alerts/alert_condition.h"

#include <gtest/gtest.h>

#include <ostream>

namespace viewcount {

// Makes a failed test readable.
static void PrintTo(Verdict verdict, std::ostream* out) {
  constexpr const char* kNames[] = {"holds", "does not hold", "too few usual", "unknown"};
  *out << kNames[static_cast<size_t>(verdict)];
}

namespace {

HoursViews Exactly(uint64_t views) { return {.views = {.least = views}}; }
HoursViews AtLeast(uint64_t views) { return {.views = {.least = views, .exact = false}}; }
HoursViews Usually(uint64_t views, double usual) {
  return {.views = {.least = views}, .usual = usual, .usual_days = 7};
}

v1::Alert Above(uint64_t views) {
  v1::Alert alert;
  alert.set_views_above(views);
  return alert;
}
v1::Alert Below(uint64_t views) {
  v1::Alert alert;
  alert.set_views_below(views);
  return alert;
}
v1::Alert AboveUsual(double factor) {
  v1::Alert alert;
  alert.set_above_usual(factor);
  return alert;
}
v1::Alert BelowUsual(double factor) {
  v1::Alert alert;
  alert.set_below_usual(factor);
  return alert;
}

TEST(AlertCondition, MoreViewsInOneOfTheSpansAreEnough) {
  EXPECT_EQ(Judge(Above(10), {Exactly(11), Exactly(0)}), Verdict::kHolds);
  EXPECT_EQ(Judge(Above(10), {Exactly(0), Exactly(11)}), Verdict::kHolds);
  EXPECT_EQ(Judge(Above(10), {Exactly(10), Exactly(10)}), Verdict::kDoesNotHold);
}

TEST(AlertCondition, BeginOfAnHourIsNoDrop) {
  EXPECT_EQ(Judge(Below(10), {Exactly(0), Exactly(100)}), Verdict::kDoesNotHold);
  EXPECT_EQ(Judge(Below(10), {Exactly(10), Exactly(0)}), Verdict::kDoesNotHold);
  EXPECT_EQ(Judge(Below(10), {Exactly(0), Exactly(9)}), Verdict::kHolds);
}

TEST(AlertCondition, ViewsThatAreKnownInPartDecideWhatTheyCan) {
  EXPECT_EQ(Judge(Above(10), {AtLeast(11), AtLeast(0)}), Verdict::kHolds);
  EXPECT_EQ(Judge(Above(10), {AtLeast(10), Exactly(0)}), Verdict::kUnknown);
  EXPECT_EQ(Judge(Below(10), {AtLeast(9), Exactly(0)}), Verdict::kUnknown);
  EXPECT_EQ(Judge(Below(10), {AtLeast(10), AtLeast(0)}), Verdict::kDoesNotHold);
}

TEST(AlertCondition, UsualViewsAreCompared) {
  EXPECT_EQ(Judge(AboveUsual(3), {Usually(301, 100), Usually(0, 100)}), Verdict::kHolds);
  EXPECT_EQ(Judge(AboveUsual(3), {Usually(300, 100), Usually(300, 100)}), Verdict::kDoesNotHold);
  EXPECT_EQ(Judge(BelowUsual(0.5), {Usually(0, 100), Usually(49, 100)}), Verdict::kHolds);
  EXPECT_EQ(Judge(BelowUsual(0.5), {Usually(0, 100), Usually(50, 100)}), Verdict::kDoesNotHold);
}

TEST(AlertCondition, UnknownUsualViewsDecideNothing) {
  EXPECT_EQ(Judge(AboveUsual(3), {Exactly(1'000), Exactly(1'000)}), Verdict::kUnknown);
  EXPECT_EQ(Judge(BelowUsual(0.5), {Exactly(0), Exactly(0)}), Verdict::kUnknown);
}

TEST(AlertCondition, TwoViewsAreNoAlarm) {
  EXPECT_EQ(Judge(AboveUsual(3), {Usually(2, 0), Usually(2, 0.3)}), Verdict::kDoesNotHold);
  // Many views where hardly any are usual neither begin an alarm nor end one.
  EXPECT_EQ(Judge(AboveUsual(3), {Usually(500, 19), Usually(500, 19)}), Verdict::kTooFewUsual);
  EXPECT_EQ(Judge(AboveUsual(3), {Usually(500, 20), Usually(500, 19)}), Verdict::kHolds);
  EXPECT_EQ(Judge(BelowUsual(0.5), {Usually(0, 19), Usually(0, 19)}), Verdict::kTooFewUsual);
}

TEST(AlertCondition, AlarmEndsAlsoWhereFewViewsAreUsual) {
  EXPECT_EQ(Judge(BelowUsual(0.5), {Usually(20, 19), Usually(0, 0)}), Verdict::kDoesNotHold);
  EXPECT_EQ(Judge(BelowUsual(0.5), {Usually(19, 19), Usually(19, 19)}), Verdict::kTooFewUsual);
}

TEST(AlertCondition, MinimumOfUsualViewsCanBeChosen) {
  v1::Alert alert = BelowUsual(0.5);
  alert.set_minimum_usual(5);
  EXPECT_EQ(Judge(alert, {Usually(0, 5), Usually(0, 5)}), Verdict::kHolds);
  EXPECT_EQ(Judge(alert, {Usually(0, 4), Usually(0, 4)}), Verdict::kTooFewUsual);
}

TEST(AlertCondition, MessagesStateTheSpanWithMoreViews) {
  const AlertReading reading{Exactly(3), Exactly(5)};
  EXPECT_EQ(DecisiveHours(Above(1), reading).views.least, 5u);
  const AlertReading usual{Usually(300, 10), Usually(400, 100)};
  EXPECT_EQ(DecisiveHours(AboveUsual(3), usual).views.least, 300u);
}

}  // namespace
}  // namespace viewcount
