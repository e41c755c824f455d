// Tests the checks of alerts with a real Redis and the real readers, at times that the test chooses.
#include "service/alerts/alert_checker.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/alerts/alert_settings.h"
#include "service/base/limits.h"
#include "service/query/count_export.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

// The webhook of all alerts is a private address. So each message is sent at once, and refused.
class AlertCheckerTest : public ::testing::Test {
 protected:
  AlertCheckerTest() { EXPECT_TRUE(pipeline_.Open().ok()); }
  ~AlertCheckerTest() override {
    sender_.Stop();
    open_sender_.Stop();
    // The handlers that the sender has posted run before the checker is destroyed.
    pipeline_.Await([]() -> boost::asio::awaitable<void> { co_return; }());
  }

  void Fold(const std::string& id, uint32_t count, int64_t ago_ms = 0) {
    pipeline_.Fold({{.article_id = id, .event_time_unix_ms = clock_.UnixMillis() - ago_ms, .count = count}});
  }
  void Announce(const std::string& id, const std::string& section, const std::string& title) {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    auto& article = *request.add_articles();
    article.set_article_id(id);
    article.set_section(section);
    article.set_title(title);
    ASSERT_TRUE(pipeline_.Await(catalog_.Put(request)).ok());
  }
  static v1::Alert MakeAlert(const std::string& name = "a") {
    v1::Alert alert;
    alert.set_site("demo");
    alert.set_name(name);
    alert.set_webhook_url("http://127.0.0.1:1/");
    alert.set_secret("0123456789abcdef");
    return alert;
  }
  void Put(v1::Alert alert) {
    *alert.mutable_create_time() = *alert.mutable_watch_time() = TimeUtil::MillisecondsToTimestamp(clock_.UnixMillis());
    const std::string settings = EncodeAlert(alert);
    const AlertKey key("demo", alert.name());
    const auto written = pipeline_.Await(pipeline_.store().SwapAlert(key, "", settings));
    ASSERT_TRUE(written.ok() && *written);
  }
  void Check() { pipeline_.Await(checker_.Check(nullptr)); }
  // Returns the stored state of an alert; nothing without one.
  std::optional<AlertState> State(const std::string& name = "a") {
    const auto stored = pipeline_.Await(pipeline_.store().ReadAlerts());
    if (!stored.ok()) return std::nullopt;
    return ParseState(stored->at(AlertKey("demo", name)).state);
  }
  bool Fires(const std::string& name = "a") {
    const auto state = State(name);
    return state && state->firing;
  }
  absl::StatusOr<AlertReading> Read(const v1::Alert& alert) {
    return pipeline_.Await(reader_.Read(pipeline_.site(), alert, true, clock_.UnixMillis()));
  }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {.time_zone = "Asia/Ho_Chi_Minh"}};
  ManualClock clock_;
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  ArticleCatalog catalog_{pipeline_.sites(), pipeline_.store(), clock_};
  CountExporter exporter_{pipeline_.store(), pipeline_.counts(), pipeline_.flush_function()};
  PublishedArticles published_{catalog_, clock_};
  RisingReader rising_{pipeline_.popular(), pipeline_.counts(), totals_, clock_};
  RecentReader recent_{pipeline_.sites(), pipeline_.store(), pipeline_.popular(), clock_};
  ListApi lists_{{pipeline_.sites(), pipeline_.counts(), pipeline_.popular(), exporter_, catalog_, published_, rising_,
                  recent_, clock_}};
  AlertReader reader_{{pipeline_.counts(), totals_, pipeline_.popular(), catalog_, lists_}};
  WebhookSender sender_{{}, clock_, pipeline_.metrics()};
  AlertChecker checker_{
      pipeline_.executor(),
      {pipeline_.sites(), pipeline_.store(), reader_, catalog_, sender_, clock_, pipeline_.metrics()}};
  // These may connect to the webhook, where nothing listens. All attempts are made at once, and fail.
  WebhookSender open_sender_{
      {.private_addresses = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8"}), .pause_factor = 0},
      clock_,
      pipeline_.metrics()};
  AlertChecker open_checker_{
      pipeline_.executor(),
      {pipeline_.sites(), pipeline_.store(), reader_, catalog_, open_sender_, clock_, pipeline_.metrics()}};
};

// A store of alerts that fails to swap states while `failures` is above 0.
class FailingAlertStore final : public AlertStore {
 public:
  explicit FailingAlertStore(AlertStore& store) : store_(store) {}
  boost::asio::awaitable<absl::StatusOr<std::map<AlertKey, StoredAlert>>> ReadAlerts() override {
    return store_.ReadAlerts();
  }
  boost::asio::awaitable<absl::StatusOr<bool>> SwapAlert(const AlertKey& key, std::string_view expected,
                                                         std::string_view next) override {
    return store_.SwapAlert(key, expected, next);
  }
  boost::asio::awaitable<absl::StatusOr<bool>> RemoveAlert(const AlertKey& key) override {
    return store_.RemoveAlert(key);
  }
  boost::asio::awaitable<absl::Status> RemoveAlertState(const AlertKey& key) override {
    return store_.RemoveAlertState(key);
  }
  boost::asio::awaitable<absl::StatusOr<bool>> SwapAlertState(const AlertKey& key, std::string_view expected,
                                                              std::string_view next) override {
    if (failures > 0) {
      --failures;
      co_return absl::UnavailableError("a test");
    }
    co_return co_await store_.SwapAlertState(key, expected, next);
  }

  int failures = 0;

 private:
  AlertStore& store_;
};

TEST_F(AlertCheckerTest, FiresOnceAndIsResolvedOnce) {
  v1::Alert alert = MakeAlert();
  alert.set_views_above(10);
  Put(alert);
  Fold("news/1", 10);
  Check();
  EXPECT_EQ(State(), std::nullopt) << "nothing has changed";
  Fold("news/2", 1);
  Check();
  ASSERT_TRUE(Fires());
  const int64_t fired_ms = State()->message_unix_ms;
  // The message is refused, which the next check writes down.
  EXPECT_TRUE(Eventually([&] {
    Check();
    return State()->sending == AlertMessage::kNone;
  }));
  EXPECT_NE(checker_.ProblemOf(AlertKey("demo", "a")), "");
  clock_.Advance(std::chrono::minutes(1));
  Check();
  EXPECT_EQ(State()->message_unix_ms, fired_ms) << "it fired again";
  // In the next hour the views are those of the hour that ended.
  clock_.Advance(std::chrono::hours(1));
  Check();
  EXPECT_TRUE(Fires());
  clock_.Advance(std::chrono::hours(1));
  Check();
  EXPECT_FALSE(Fires());
  EXPECT_EQ(State()->sending, AlertMessage::kResolved);
  EXPECT_EQ(pipeline_.metrics().alert_checks_failed.Value(), 0);
}

TEST_F(AlertCheckerTest, NothingIsDecidedWhileTheStoreIsAway) {
  v1::Alert alert = MakeAlert();
  alert.set_views_below(10);
  Fold("news/1", 10);
  Put(alert);
  Check();
  EXPECT_FALSE(Fires());
  redis_.Kill();
  Fold("news/1", 1);
  clock_.Advance(std::chrono::hours(3));
  Check();
  EXPECT_GE(pipeline_.metrics().alert_checks_failed.Value(), 1);
  redis_.Start();
  EXPECT_TRUE(Eventually([&] {
    Check();
    return Fires();
  })) << "three hours without a view";
}

TEST_F(AlertCheckerTest, UsualIsTheMeanOfTheSameHoursOfTheDaysBefore) {
  // Four, eight and six views in the running hour of the last three days, none before, and many at other hours.
  for (const auto& [days, count] : {std::pair(1, 4u), std::pair(2, 8u), std::pair(3, 6u)}) {
    Fold("news/1", count, days * kDayMs);
    Fold("news/1", 1'000, days * kDayMs + 5 * kHourMs);
  }
  Fold("news/1", 3);
  v1::Alert alert = MakeAlert();
  for (const bool of_article : {false, true}) {
    if (of_article) alert.set_article_id("news/1");
    const auto reading = Read(alert);
    ASSERT_TRUE(reading.ok()) << reading.status();
    EXPECT_EQ(reading->running.views.least, 3u);
    EXPECT_EQ(reading->running.usual, 6.0);
    EXPECT_EQ(reading->running.usual_days, 3u);
    EXPECT_EQ(reading->ended.views.least, 0u);
    EXPECT_EQ(reading->ended.usual, 0.0);
  }
  alert.set_article_id("news/never");
  EXPECT_EQ(Read(alert)->running.usual_days, 0u);
}

TEST_F(AlertCheckerTest, UsualReachesAsFarBackAsHoursAreKept) {
  for (int days = 1; days <= 8; ++days) Fold("news/1", 10, days * kDayMs);
  v1::Alert alert = MakeAlert();
  for (const auto& [hours, days] : {std::pair(23u, 7u), std::pair(24u, 6u)}) {
    alert.set_hours(hours);
    const auto reading = Read(alert);
    ASSERT_TRUE(reading.ok()) << reading.status();
    EXPECT_EQ(reading->running.usual_days, days);
    EXPECT_EQ(reading->running.usual, 10.0);
  }
}

TEST_F(AlertCheckerTest, SectionHasTheViewsOfItsArticles) {
  Announce("news/1", "sport", "One");
  Announce("news/2", "sport", "Two");
  Announce("news/3", "weather", "Three");
  Fold("news/1", 5);
  Fold("news/2", 6, kHourMs);
  Fold("news/3", 100);
  Fold("news/1", 40, kDayMs);
  v1::Alert alert = MakeAlert();
  alert.set_section("sport");
  alert.set_hours(2);
  const auto reading = Read(alert);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->running.views.least, 11u);
  EXPECT_TRUE(reading->running.views.exact);
  EXPECT_EQ(reading->ended.views.least, 6u);
  EXPECT_EQ(reading->running.usual, 40.0);
  EXPECT_EQ(reading->ended.usual, 0.0);
}

TEST_F(AlertCheckerTest, DigestIsSentOnceADay) {
  v1::Alert alert = MakeAlert();
  alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
  alert.mutable_digest()->set_hour(7);
  // It is 05:00 of Monday 2026-11-23 in Hanoi.
  Put(alert);
  Announce("news/1", "", "One");
  Fold("news/1", 7, 10 * kHourMs);
  Fold("news/2", 3, 10 * kHourMs);
  Fold("news/2", 4, kDayMs + 10 * kHourMs);
  Check();
  EXPECT_EQ(State(), std::nullopt);
  clock_.Advance(std::chrono::hours(2));
  Check();
  ASSERT_TRUE(State());
  EXPECT_EQ(State()->digest_day, 20261123u);
  EXPECT_EQ(State()->sending, AlertMessage::kDigest);
  const auto event = pipeline_.Await(checker_.MakeEvent(pipeline_.site(), alert, *State(), false));
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->digest->views.least, 10u);
  EXPECT_EQ(event->digest->views_before.least, 4u);
  ASSERT_EQ(event->digest->articles.articles_size(), 2);
  EXPECT_EQ(event->digest->articles.articles(0).title(), "One");
  EXPECT_TRUE(Eventually([&] {
    Check();
    return State()->sending == AlertMessage::kNone;
  }));
  clock_.Advance(std::chrono::hours(10));
  Check();
  EXPECT_EQ(State()->sending, AlertMessage::kNone);
}

TEST_F(AlertCheckerTest, LostMessageIsSentAgain) {
  v1::Alert alert = MakeAlert();
  alert.set_views_above(10);
  Put(alert);
  Fold("news/1", 11);
  // An instance has taken the message, and died.
  *alert.mutable_watch_time() = TimeUtil::MillisecondsToTimestamp(clock_.UnixMillis());
  const AlertState fresh = PresentState(alert, pipeline_.site()->zone, "");
  const AlertState taken = *AfterVerdict(alert, fresh, Verdict::kHolds, clock_.UnixMillis());
  const std::string text = EncodeState(taken);
  ASSERT_TRUE(*pipeline_.Await(pipeline_.store().SwapAlertState(AlertKey("demo", "a"), "", text)));
  clock_.Advance(kAlertLease - std::chrono::minutes(1));
  Check();
  EXPECT_EQ(State(), taken);
  clock_.Advance(std::chrono::minutes(1));
  Check();
  ASSERT_TRUE(State());
  EXPECT_EQ(State()->sending, AlertMessage::kFired);
  EXPECT_EQ(State()->message_unix_ms, taken.message_unix_ms) << "it has another ID";
  EXPECT_GT(State()->lease_unix_ms, taken.lease_unix_ms) << "it is not sent again";
  EXPECT_TRUE(Eventually([&] {
    Check();
    return State()->sending == AlertMessage::kNone;
  }));
}

TEST_F(AlertCheckerTest, MessageIsSentAgainForADayIfAllAttemptsFail) {
  const auto check = [&] { pipeline_.Await(open_checker_.Check(nullptr)); };
  const auto rounds = [&] { return pipeline_.metrics().AlertSent(AlertResult::kGivenUp).Value(); };
  v1::Alert alert = MakeAlert();
  alert.set_views_above(10);
  Put(alert);
  Fold("news/1", 11);
  check();
  const AlertState taken = *State();
  for (int round = 1; round <= 2; ++round) {
    EXPECT_TRUE(Eventually([&] { return rounds() == round; }));
    check();
    EXPECT_EQ(State()->sending, AlertMessage::kFired) << "it is given up for good";
    EXPECT_EQ(rounds(), round) << "there is no pause";
    clock_.Advance(kAlertLease);
    check();
    EXPECT_EQ(State()->message_unix_ms, taken.message_unix_ms);
  }
  EXPECT_TRUE(Eventually([&] { return rounds() == 3; }));
  clock_.Advance(kAlertMessageKept);
  check();
  EXPECT_TRUE(Eventually([&] {
    check();
    return State()->sending != AlertMessage::kFired;
  }));
}

TEST_F(AlertCheckerTest, DeliveredMessageOfWhichTheStoreDoesNotKnowIsNotLost) {
  FailingAlertStore store(pipeline_.store());
  AlertChecker checker(pipeline_.executor(),
                       {pipeline_.sites(), store, reader_, catalog_, sender_, clock_, pipeline_.metrics()});
  const auto check = [&] { pipeline_.Await(checker.Check(nullptr)); };
  v1::Alert alert = MakeAlert();
  alert.set_views_above(10);
  Put(alert);
  Fold("news/1", 11);
  check();
  const AlertState taken = *State();
  const auto problem = [&]() -> boost::asio::awaitable<std::string> {
    co_return checker.ProblemOf(AlertKey("demo", "a"));
  };
  ASSERT_TRUE(Eventually([&] { return !pipeline_.Await(problem()).empty(); }));
  clock_.Advance(kAlertLease);
  store.failures = 1;
  check();
  EXPECT_EQ(State(), taken) << "it is sent again";
  check();
  EXPECT_EQ(State(), Done(taken));
}

TEST_F(AlertCheckerTest, ClockThatWasAheadSilencesNoDigest) {
  constexpr std::chrono::hours kAhead{40 * 24};
  const auto finish = [&] {
    EXPECT_TRUE(Eventually([&] {
      Check();
      return State()->sending == AlertMessage::kNone;
    }));
  };
  v1::Alert alert = MakeAlert();
  alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
  alert.mutable_digest()->set_hour(7);
  // It is 05:00 of Monday 2026-11-23 in Hanoi.
  Put(alert);
  clock_.SetWallError(kAhead);
  Check();
  ASSERT_TRUE(State());
  EXPECT_EQ(State()->digest_day, 20270101u);
  finish();
  clock_.SetWallError({});
  Check();
  EXPECT_EQ(State()->digest_day, 20261122u);
  EXPECT_EQ(State()->sending, AlertMessage::kNone);
  // If the clock remains wrong, as that of one of two instances, there is no message each minute.
  clock_.SetWallError(kAhead);
  Check();
  EXPECT_EQ(State()->digest_day, 20261122u);
  clock_.SetWallError({});
  clock_.Advance(std::chrono::hours(2));
  Check();
  EXPECT_EQ(State()->digest_day, 20261123u);
  EXPECT_EQ(State()->sending, AlertMessage::kDigest);
  finish();
}

TEST_F(AlertCheckerTest, SettingsAreSwappedOnlyIfTheyAreAsExpected) {
  const AlertKey key("demo", "a");
  const auto swap = [&](const std::string& expected, const std::string& next) {
    return *pipeline_.Await(pipeline_.store().SwapAlert(key, expected, next));
  };
  EXPECT_TRUE(swap("", "one"));
  EXPECT_FALSE(swap("", "two"));
  EXPECT_TRUE(swap("one", "two"));
  EXPECT_EQ(pipeline_.Await(pipeline_.store().ReadAlerts())->at(key).settings, "two");
}

TEST_F(AlertCheckerTest, StateIsTakenOnceOnly) {
  const AlertKey key("demo", "a");
  const auto swap = [&](const std::string& expected, const std::string& next) {
    return *pipeline_.Await(pipeline_.store().SwapAlertState(key, expected, next));
  };
  EXPECT_FALSE(swap("other", "one"));
  EXPECT_TRUE(swap("", "one"));
  EXPECT_FALSE(swap("", "two"));
  EXPECT_TRUE(swap("one", "two"));
  EXPECT_FALSE(swap("one", "three"));
  // The state has no alert, so a check removes it.
  Check();
  EXPECT_TRUE(pipeline_.Await(pipeline_.store().ReadAlerts())->empty());
}

TEST_F(AlertCheckerTest, UnusableSettingsHurtNoOtherAlert) {
  v1::Alert alert = MakeAlert("b");
  alert.set_views_below(10);
  Put(alert);
  redis_.Command({"HSET", "vc:alerts", "demo/a", "no message", "demo", "x", "none/a", "x"});
  Check();
  EXPECT_TRUE(Fires("b"));
  EXPECT_NE(checker_.ProblemOf(AlertKey("demo", "a")), "");
}

}  // namespace
}  // namespace viewcount
