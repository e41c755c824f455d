// Tests how the state of an alert changes.
#include "service/alerts/alert_state.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "service/alerts/alert_limits.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

constexpr int64_t kStateNow = int64_t{1'796'000'000} * 1'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kLease = std::chrono::milliseconds(kAlertLease).count();

v1::Alert MakeAlert() {
  v1::Alert alert;
  alert.set_site("demo");
  alert.set_name("rush");
  alert.set_views_above(100);
  alert.mutable_watch_time()->set_seconds(kStateNow / 1'000);
  return alert;
}

v1::Alert MakeDigest() {
  v1::Alert alert = MakeAlert();
  alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
  alert.mutable_digest()->set_hour(0);
  return alert;
}

AlertState Fresh(const v1::Alert& alert) { return PresentState(alert, absl::UTCTimeZone(), ""); }

TEST(AlertStates, TextIsReadAgain) {
  const AlertState state{.revision = "abc",
                         .firing = true,
                         .changed_unix_ms = kStateNow,
                         .message_unix_ms = kStateNow + 1,
                         .digest_day = 20261130,
                         .sending = AlertMessage::kResolved,
                         .lease_unix_ms = kStateNow + 2};
  EXPECT_EQ(EncodeState(state), "abc 1 1796000000000 1796000000001 20261130 resolved 1796000000002");
  EXPECT_EQ(ParseState(EncodeState(state)), state);
}

TEST(AlertStates, OtherTextsAreNone) {
  for (const std::string text :
       {"", "abc", "abc 1 2 3 4 none", "abc 2 0 0 0 none 0", "abc 1 0 0 0 other 0", "abc 1 -1 0 0 none 0",
        "abc 1 0 0 0 none 0 0", "abc 1 x 0 0 none 0", "abc 0 999999999999999 0 0 none 0", " 1 0 0 0 none 0"}) {
    EXPECT_EQ(ParseState(text), std::nullopt) << text;
  }
}

TEST(AlertStates, FiresOnceAndIsResolvedOnce) {
  const v1::Alert alert = MakeAlert();
  const AlertState fresh = Fresh(alert);
  EXPECT_EQ(AfterVerdict(alert, fresh, Verdict::kDoesNotHold, kStateNow), std::nullopt);
  const auto fired = AfterVerdict(alert, fresh, Verdict::kHolds, kStateNow);
  ASSERT_TRUE(fired);
  EXPECT_TRUE(fired->firing);
  EXPECT_EQ(fired->sending, AlertMessage::kFired);
  const AlertState sent = Done(*fired);
  EXPECT_EQ(AfterVerdict(alert, sent, Verdict::kHolds, kStateNow + 1'000'000 * kMinute), std::nullopt);
  const auto resolved = AfterVerdict(alert, sent, Verdict::kDoesNotHold, kStateNow + kMinute);
  ASSERT_TRUE(resolved);
  EXPECT_FALSE(resolved->firing);
  EXPECT_EQ(resolved->sending, AlertMessage::kResolved);
  EXPECT_EQ(AfterVerdict(alert, Done(*resolved), Verdict::kDoesNotHold, kStateNow + 2 * kMinute), std::nullopt);
}

TEST(AlertStates, NothingChangesWithoutADecision) {
  const v1::Alert alert = MakeAlert();
  const AlertState firing = Done(*AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow));
  for (const Verdict verdict : {Verdict::kUnknown, Verdict::kTooFewUsual}) {
    EXPECT_EQ(AfterVerdict(alert, Fresh(alert), verdict, kStateNow), std::nullopt);
    EXPECT_EQ(AfterVerdict(alert, firing, verdict, kStateNow + kMinute), std::nullopt);
  }
}

TEST(AlertStates, IsRepeatedAtTheChosenIntervalOnly) {
  v1::Alert alert = MakeAlert();
  alert.mutable_repeat_every()->set_seconds(600);
  const AlertState firing = Done(*AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow));
  EXPECT_EQ(AfterVerdict(alert, firing, Verdict::kHolds, kStateNow + 9 * kMinute), std::nullopt);
  const auto repeated = AfterVerdict(alert, firing, Verdict::kHolds, kStateNow + 10 * kMinute);
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->sending, AlertMessage::kRepeated);
  EXPECT_EQ(AfterVerdict(alert, Done(*repeated), Verdict::kHolds, kStateNow + 19 * kMinute), std::nullopt);
}

TEST(AlertStates, TimeThatIsToComeStopsNoRepetition) {
  v1::Alert alert = MakeAlert();
  alert.mutable_repeat_every()->set_seconds(600);
  constexpr int64_t kDay = 24 * 60 * kMinute;
  const AlertState ahead = Done(*AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow + kDay));
  EXPECT_TRUE(AfterVerdict(alert, ahead, Verdict::kHolds, kStateNow));
  // Clocks of instances differ by seconds.
  EXPECT_FALSE(AfterVerdict(alert, ahead, Verdict::kHolds, kStateNow + kDay - kMinute));
}

TEST(AlertStates, MessageIsKeptForADay) {
  const v1::Alert alert = MakeAlert();
  const AlertState fired = *AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow);
  constexpr int64_t kKept = std::chrono::milliseconds(kAlertMessageKept).count();
  EXPECT_TRUE(IsKept(fired, kStateNow - kMinute));
  EXPECT_TRUE(IsKept(fired, kStateNow + kKept - 1));
  EXPECT_FALSE(IsKept(fired, kStateNow + kKept));
  EXPECT_FALSE(IsKept(fired, kStateNow - kKept)) << "a clock was wrong, and the message would stay for longer";
}

TEST(AlertStates, MessageIsLostWhenItsLeaseEnds) {
  const v1::Alert alert = MakeAlert();
  const AlertState fired = *AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow);
  EXPECT_TRUE(IsSending(fired, kStateNow + kLease - 1));
  EXPECT_EQ(LostMessage(fired, kStateNow + kLease - 1), AlertMessage::kNone);
  EXPECT_EQ(LostMessage(fired, kStateNow + kLease), AlertMessage::kFired);
  EXPECT_EQ(LostMessage(Done(fired), kStateNow + kLease), AlertMessage::kNone);
  // The clock of the instance that took it was wrong by a year.
  EXPECT_EQ(LostMessage(fired, kStateNow - 365 * 24 * 60 * kMinute), AlertMessage::kFired);
  const AlertState again = Taken(fired, AlertMessage::kFired, kStateNow + kLease);
  EXPECT_TRUE(IsSending(again, kStateNow + kLease));
  EXPECT_EQ(MessageIdOf(alert, again), MessageIdOf(alert, fired));
}

TEST(AlertStates, EveryMessageHasAnIdOfItsOwn) {
  const v1::Alert alert = MakeAlert();
  const AlertState fired = *AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow);
  const AlertState resolved = *AfterVerdict(alert, Done(fired), Verdict::kDoesNotHold, kStateNow + kMinute);
  const AlertState again = *AfterVerdict(alert, Done(resolved), Verdict::kHolds, kStateNow + 2 * kMinute);
  EXPECT_NE(MessageIdOf(alert, fired), MessageIdOf(alert, resolved));
  EXPECT_NE(MessageIdOf(alert, fired), MessageIdOf(alert, again));
}

TEST(AlertStates, StateOfOtherSettingsIsNone) {
  const v1::Alert alert = MakeAlert();
  const std::string stored = EncodeState(Done(*AfterVerdict(alert, Fresh(alert), Verdict::kHolds, kStateNow)));
  EXPECT_TRUE(PresentState(alert, absl::UTCTimeZone(), stored).firing);
  v1::Alert changed = alert;
  changed.set_webhook_url("https://other.example");
  changed.set_language(v1::ALERT_LANGUAGE_VIETNAMESE);
  EXPECT_TRUE(PresentState(changed, absl::UTCTimeZone(), stored).firing);
  changed.set_views_above(101);
  EXPECT_FALSE(PresentState(changed, absl::UTCTimeZone(), stored).firing);
  changed = alert;
  changed.set_section("sport");
  EXPECT_FALSE(PresentState(changed, absl::UTCTimeZone(), stored).firing);
  changed = alert;
  changed.mutable_watch_time()->set_nanos(1'000'000);
  EXPECT_FALSE(PresentState(changed, absl::UTCTimeZone(), stored).firing);
}

TEST(AlertStates, DigestIsSentOnceForEachPeriod) {
  const v1::Alert alert = MakeDigest();
  const absl::TimeZone zone = absl::UTCTimeZone();
  const AlertState fresh = Fresh(alert);
  EXPECT_EQ(AfterDigestTime(alert, fresh, zone, kStateNow), std::nullopt) << "the period in which it was created";
  const int64_t tomorrow = kStateNow + 24 * 60 * kMinute;
  const auto due = AfterDigestTime(alert, fresh, zone, tomorrow);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->sending, AlertMessage::kDigest);
  EXPECT_EQ(AfterDigestTime(alert, Done(*due), zone, tomorrow + kMinute), std::nullopt);
  // After three days without the service, the newest digest is sent only.
  const auto late = AfterDigestTime(alert, Done(*due), zone, tomorrow + 3 * 24 * 60 * kMinute);
  ASSERT_TRUE(late);
  EXPECT_EQ(AfterDigestTime(alert, Done(*late), zone, tomorrow + 3 * 24 * 60 * kMinute), std::nullopt);
}

}  // namespace
}  // namespace viewcount
