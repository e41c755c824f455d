// Tests which messages watchers receive, and when. The test makes the ticks and turns the clock.
#include "service/query/count_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

using Views = std::map<std::string, uint64_t>;

// This watcher of the test counts how often it is called.
struct Watching {
  std::shared_ptr<CountWatcher::Subscription> subscription;
  std::shared_ptr<std::atomic<int>> calls = std::make_shared<std::atomic<int>>(0);
  v1::WatchCountsResponse message;
  std::string event_id;

  bool Take() { return subscription->Take(message, event_id); }
  Views views() const {
    Views views;
    for (const auto& count : message.counts()) views[count.article_id()] = count.views();
    return views;
  }
};

class CountWatcherTest : public ::testing::Test {
 protected:
  CountWatcherTest() { EXPECT_TRUE(pipeline_.Open().ok()); }

  absl::StatusOr<Watching> TrySubscribe(std::vector<std::string> ids, std::string_view resume_after = "") {
    return TrySubscribe(watcher_, std::move(ids), resume_after);
  }
  absl::StatusOr<Watching> TrySubscribe(CountWatcher& watcher, std::vector<std::string> ids,
                                        std::string_view resume_after) {
    Watching watching;
    auto subscription = pipeline_.Await(
        watcher.Subscribe(pipeline_.site(), std::move(ids), resume_after, [calls = watching.calls]() { ++*calls; }));
    if (!subscription.ok()) return subscription.status();
    watching.subscription = *std::move(subscription);
    return watching;
  }
  Watching Subscribe(std::vector<std::string> ids, std::string_view resume_after = "") {
    auto watching = TrySubscribe(std::move(ids), resume_after);
    EXPECT_TRUE(watching.ok()) << watching.status();
    return watching.ok() ? *std::move(watching) : Watching();
  }
  // Turns the clock by `after`, which is one second by default, and makes the next tick.
  void Tick(milliseconds after = limits::kWatchInterval) {
    clock_.Advance(after);
    pipeline_.Await(watcher_.Tick());
  }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_};
  ManualClock clock_;
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  SiteStatsReader stats_{pipeline_.store(), totals_, clock_};
  const CountWatcher::Dependencies parts_{pipeline_.sites(), pipeline_.counts(), stats_, clock_, pipeline_.metrics()};
  CountWatcher watcher_{pipeline_.executor(), parts_};
};

TEST_F(CountWatcherTest, TheFirstMessageHasAllAndIsOfNow) {
  pipeline_.Fold("a", 3);
  auto watching = Subscribe({"b", "a", "b"});
  EXPECT_EQ(*watching.calls, 0);
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"a", 3}, {"b", 0}}));
  EXPECT_EQ(watching.message.counts_size(), 2);
  EXPECT_EQ(watching.message.counts(0).article_id(), "b") << "in the order asked";
  EXPECT_EQ(watching.message.site_views(), 3u);
  EXPECT_TRUE(watching.message.has_as_of());
  EXPECT_THAT(watching.event_id, MatchesRegex("[0-9a-f]{16}-[0-9]+"));
  EXPECT_FALSE(watching.Take());
  // A second subscription asks for articles that are known by now.
  pipeline_.Fold("a");
  auto other = Subscribe({"a"});
  ASSERT_TRUE(other.Take());
  EXPECT_EQ(other.views(), (Views{{"a", 4}})) << "own views never lag";
}

TEST_F(CountWatcherTest, LaterMessagesHaveOnlyWhatChanged) {
  auto watching = Subscribe({"a", "b", "c"});
  ASSERT_TRUE(watching.Take());
  Tick();
  EXPECT_EQ(*watching.calls, 0);
  EXPECT_FALSE(watching.Take());
  pipeline_.Fold("b", 2);
  Tick();
  EXPECT_EQ(*watching.calls, 1);
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"b", 2}}));
  EXPECT_EQ(watching.message.site_views(), 2u);
  ASSERT_TRUE(pipeline_.Flush().ok());
  Tick();
  EXPECT_EQ(*watching.calls, 1) << "a flush changes nothing";
  pipeline_.Fold("not watched", 5);
  Tick();
  ASSERT_TRUE(watching.Take());
  EXPECT_THAT(watching.views(), IsEmpty());
  EXPECT_EQ(watching.message.site_views(), 7u);
}

TEST_F(CountWatcherTest, BotsViewsAreChangesToo) {
  auto watching = Subscribe({"a"});
  ASSERT_TRUE(watching.Take());
  pipeline_.Fold({{.article_id = "a", .count = 9, .bot = true}});
  Tick();
  ASSERT_TRUE(watching.Take());
  ASSERT_EQ(watching.message.counts_size(), 1);
  EXPECT_EQ(watching.message.counts(0).bot_views(), 9u);
  EXPECT_EQ(watching.message.site_views(), 0u);
}

TEST_F(CountWatcherTest, NoneIsToldTwiceWithinASecondAndNothingIsLost) {
  auto watching = Subscribe({"a"});
  ASSERT_TRUE(watching.Take());
  pipeline_.Fold("a");
  Tick(milliseconds(500));
  EXPECT_EQ(*watching.calls, 0) << "half a second after the first message";
  EXPECT_FALSE(watching.Take());
  Tick();
  EXPECT_EQ(*watching.calls, 1);
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"a", 1}}));
  // Real ticks are never exactly on time.
  pipeline_.Fold("a");
  Tick(limits::kWatchPause);
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"a", 2}}));
}

TEST_F(CountWatcherTest, ASlowTakerIsCalledOnceAndGetsTheLastState) {
  auto watching = Subscribe({"a", "b"});
  ASSERT_TRUE(watching.Take());
  for (int i = 0; i < 5; ++i) {
    pipeline_.Fold(i % 2 == 0 ? "a" : "b");
    Tick();
  }
  EXPECT_EQ(*watching.calls, 1);
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"a", 3}, {"b", 2}}));
  EXPECT_EQ(watching.message.site_views(), 5u);
  EXPECT_FALSE(watching.Take());
  pipeline_.Fold("a");
  Tick();
  EXPECT_EQ(*watching.calls, 2);
}

TEST_F(CountWatcherTest, OneThatComesBackGetsWhatItMissed) {
  auto staying = Subscribe({"a", "b", "c"});
  auto leaving = Subscribe({"a", "b"});
  ASSERT_TRUE(leaving.Take());
  leaving.subscription.reset();
  // Nothing has changed, so there is no message until something changes.
  auto back = Subscribe({"a", "b"}, leaving.event_id);
  EXPECT_FALSE(back.Take());
  pipeline_.Fold("b", 2);
  Tick();
  EXPECT_EQ(*back.calls, 1);
  ASSERT_TRUE(back.Take());
  EXPECT_EQ(back.views(), (Views{{"b", 2}}));
  back.subscription.reset();
  pipeline_.Fold("a", 7);
  auto again = Subscribe({"a", "b"}, back.event_id);
  ASSERT_TRUE(again.Take()) << "it changed between two ticks";
  EXPECT_EQ(again.views(), (Views{{"a", 7}}));
}

TEST_F(CountWatcherTest, OneThatComesBackToArticlesNobodyWatchedMeanwhileGetsThemAll) {
  auto leaving = Subscribe({"a", "b"});
  ASSERT_TRUE(leaving.Take());
  leaving.subscription.reset();
  pipeline_.Fold("a", 2);
  auto back = Subscribe({"a", "b"}, leaving.event_id);
  ASSERT_TRUE(back.Take());
  EXPECT_EQ(back.views(), (Views{{"a", 2}, {"b", 0}}));
}

TEST_F(CountWatcherTest, AnEventIdThatSaysNothingHereBringsEverything) {
  const Views all = {{"a", 1}, {"b", 0}};
  pipeline_.Fold("a");
  auto staying = Subscribe({"a", "b", "c"});
  ASSERT_TRUE(staying.Take());
  auto first = Subscribe({"a", "b"});
  ASSERT_TRUE(first.Take());
  const std::string prefix = first.event_id.substr(0, 17);
  // None of these event IDs can be resumed. They come from another process's watcher, from other articles, or are
  // malformed or unknown.
  CountWatcher other(pipeline_.executor(), parts_);
  auto elsewhere = TrySubscribe(other, {"a", "b"}, first.event_id);
  ASSERT_TRUE(elsewhere.ok() && elsewhere->Take());
  EXPECT_EQ(elsewhere->views(), all);
  for (const std::string& event_id :
       {elsewhere->event_id, staying.event_id, prefix, prefix + "x", prefix + "1x", prefix + "-1", prefix + "999999",
        prefix + "99999999999999999999", std::string("nonsense"), first.event_id + " "}) {
    auto back = Subscribe({"a", "b"}, event_id);
    ASSERT_TRUE(back.Take()) << event_id;
    EXPECT_EQ(back.views(), all) << event_id;
  }
}

TEST_F(CountWatcherTest, ADestroyedSubscriptionFreesWhatItWatched) {
  auto one = Subscribe({"a", "b"});
  auto two = Subscribe({"b", "c"});
  EXPECT_EQ(watcher_.subscriptions(), 2u);
  EXPECT_EQ(watcher_.watched_articles(), 3u);
  EXPECT_THAT(pipeline_.metrics().Serialize(), HasSubstr("\nviewcount_watchers 2\n"));
  one.subscription.reset();
  EXPECT_EQ(watcher_.watched_articles(), 2u);
  ASSERT_TRUE(two.Take());
  pipeline_.Fold("b", 4);
  Tick();
  ASSERT_TRUE(two.Take()) << "what another one freed is not lost to this one";
  EXPECT_EQ(two.views(), (Views{{"b", 4}}));
  EXPECT_EQ(*one.calls, 0);
  two.subscription.reset();
  EXPECT_EQ(watcher_.subscriptions(), 0u);
  EXPECT_EQ(watcher_.watched_articles(), 0u);
  Tick();
}

TEST_F(CountWatcherTest, OneMayTakeOrGoWhileItIsCalled) {
  std::shared_ptr<CountWatcher::Subscription> going;
  std::shared_ptr<CountWatcher::Subscription> taking;
  v1::WatchCountsResponse message;
  std::string event_id;
  bool taken = false;
  going = *pipeline_.Await(watcher_.Subscribe(pipeline_.site(), {"a"}, "", [&]() { going.reset(); }));
  taking = *pipeline_.Await(
      watcher_.Subscribe(pipeline_.site(), {"a"}, "", [&]() { taken = taking->Take(message, event_id); }));
  ASSERT_TRUE(going->Take(message, event_id));
  ASSERT_TRUE(taking->Take(message, event_id));
  pipeline_.Fold("a");
  Tick();
  EXPECT_EQ(going, nullptr);
  EXPECT_TRUE(taken);
  EXPECT_EQ(message.counts(0).views(), 1u);
  EXPECT_EQ(watcher_.subscriptions(), 1u);
}

TEST_F(CountWatcherTest, WhatCannotBeWatchedIsNamed) {
  const auto bad = TrySubscribe({"a", "b\n"});
  EXPECT_TRUE(absl::IsInvalidArgument(bad.status()));
  EXPECT_THAT(bad.status().ToString(), HasSubstr("article_ids[1]"));
  std::vector<std::string> many;
  for (size_t i = 0; i <= limits::kWatchArticlesMax; ++i) many.push_back(std::to_string(i));
  EXPECT_TRUE(absl::IsInvalidArgument(TrySubscribe(many).status()));
  many.pop_back();
  EXPECT_TRUE(TrySubscribe(many).ok());
  EXPECT_EQ(watcher_.subscriptions(), 0u);
}

TEST_F(CountWatcherTest, ManyThatComeAtOnceAreAllTold) {
  // Nothing is known yet, as after a start. Each subscription asks different shards.
  pipeline_.Fold("7", 3);
  using Answer = absl::StatusOr<std::shared_ptr<CountWatcher::Subscription>>;
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 2'000; ++i) {
    std::vector<std::string> ids;
    for (int k = 0; k < 20; ++k) ids.push_back(std::to_string((i * 20 + k) % 1'000));
    answers.push_back(pipeline_.Spawn(watcher_.Subscribe(pipeline_.site(), std::move(ids), "", []() {})));
  }
  int told = 0;
  for (auto& answer : answers) {
    const Answer subscription = answer.get();
    ASSERT_TRUE(subscription.ok()) << subscription.status();
    v1::WatchCountsResponse message;
    std::string event_id;
    ASSERT_TRUE((*subscription)->Take(message, event_id));
    EXPECT_EQ(message.counts_size(), 20);
    for (const auto& count : message.counts()) told += count.article_id() == "7" && count.views() == 3 ? 1 : 0;
  }
  EXPECT_EQ(told, 40);
}

TEST_F(CountWatcherTest, CallersThatGoWhileTheyWaitAreAnsweredAtOnceAndHoldUpNobody) {
  struct Waiting {
    std::shared_ptr<CountWatcher::Caller> caller = std::make_shared<CountWatcher::Caller>();
    std::future<absl::StatusOr<std::shared_ptr<CountWatcher::Subscription>>> answer;
  };
  constexpr size_t kCallers = 500;
  std::vector<Waiting> all(kCallers);
  // Redis answers none of the first, so all others wait for their turn.
  ASSERT_EQ(kill(redis_.pid(), SIGSTOP), 0);
  for (size_t i = 0; i < kCallers; ++i) {
    std::vector<std::string> ids = {std::to_string(i)};
    all[i].answer = pipeline_.Spawn(watcher_.Subscribe(
        pipeline_.site(), std::move(ids), "", []() {}, all[i].caller));
  }
  const auto goes = [](size_t i) { return i >= limits::kWatchFirstReadsMax && i % 5 != 0; };
  for (size_t i = 0; i < kCallers; ++i) {
    if (goes(i)) boost::asio::post(pipeline_.executor(), [caller = all[i].caller] { caller->Leave(); });
  }
  for (size_t i = 0; i < kCallers; ++i) {
    if (goes(i)) {
      EXPECT_TRUE(absl::IsCancelled(all[i].answer.get().status()));
    }
  }
  ASSERT_EQ(kill(redis_.pid(), SIGCONT), 0);
  for (size_t i = 0; i < kCallers; ++i) {
    if (!goes(i)) {
      EXPECT_TRUE(all[i].answer.get().ok());
    }
  }
  EXPECT_EQ(watcher_.subscriptions(), 0u);
}

TEST_F(CountWatcherTest, BeyondTheMostDifferentArticlesOneIsToldWhenToTryAgain) {
  std::vector<Watching> watching;
  for (size_t i = 0; i < limits::kWatchedArticlesMax / limits::kWatchArticlesMax; ++i) {
    std::vector<std::string> ids;
    for (size_t k = 0; k < limits::kWatchArticlesMax; ++k) ids.push_back(std::to_string(i) + "/" + std::to_string(k));
    watching.push_back(Subscribe(std::move(ids)));
  }
  EXPECT_EQ(watcher_.watched_articles(), limits::kWatchedArticlesMax);
  const auto refused = TrySubscribe({"one more"});
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status())) << refused.status();
  EXPECT_TRUE(refused.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
  EXPECT_TRUE(TrySubscribe({}).ok()) << "the site alone";
  watching.pop_back();
  EXPECT_TRUE(TrySubscribe({"one more"}).ok());
}

TEST_F(CountWatcherTest, WhileRedisIsAwayOwnViewsAreToldAllTheSame) {
  auto watching = Subscribe({"a"});
  ASSERT_TRUE(watching.Take());
  redis_.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline_.store().problem().empty(); }));
  pipeline_.Fold("a", 2);
  clock_.Advance(limits::kWatchInterval);
  Tick();
  ASSERT_TRUE(watching.Take());
  EXPECT_EQ(watching.views(), (Views{{"a", 2}}));
  EXPECT_EQ(watching.message.site_views(), 2u);
  const auto unknown = TrySubscribe({"never read"});
  EXPECT_TRUE(absl::IsUnavailable(unknown.status())) << unknown.status();
  EXPECT_EQ(watcher_.subscriptions(), 1u) << "what failed is freed";
  redis_.Start();
  ASSERT_TRUE(Eventually([&] { return TrySubscribe({"never read"}).ok(); }));
}

TEST_F(CountWatcherTest, AStopEndsEverySubscription) {
  auto watching = Subscribe({"a"});
  EXPECT_FALSE(watching.subscription->ended());
  auto running = pipeline_.Spawn(watcher_.Run());
  pipeline_.Await([](CountWatcher& watcher) -> boost::asio::awaitable<void> {
    watcher.Stop();
    co_return;
  }(watcher_));
  EXPECT_EQ(running.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(*watching.calls, 1);
  EXPECT_TRUE(watching.subscription->ended());
  EXPECT_FALSE(watching.Take());
  EXPECT_TRUE(absl::IsUnavailable(TrySubscribe({"a"}).status()));
}

TEST(CountWatcher, TicksByItself) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  const SystemClock clock;
  SiteTotalReader totals(pipeline.store(), pipeline.cache(), {&pipeline.ledger()});
  SiteStatsReader stats(pipeline.store(), totals, clock);
  CountWatcher watcher(pipeline.executor(), {pipeline.sites(), pipeline.counts(), stats, clock, pipeline.metrics()});
  auto running = pipeline.Spawn(watcher.Run());
  std::atomic<int> calls = 0;
  auto subscription = pipeline.Await(watcher.Subscribe(pipeline.site(), {"a"}, "", [&calls]() { ++calls; }));
  ASSERT_TRUE(subscription.ok()) << subscription.status();
  v1::WatchCountsResponse message;
  std::string event_id;
  ASSERT_TRUE((*subscription)->Take(message, event_id));
  for (uint64_t views = 1; views <= 2; ++views) {
    const auto before = std::chrono::steady_clock::now();
    pipeline.Fold("a");
    ASSERT_TRUE(Eventually([&] { return (*subscription)->Take(message, event_id); }));
    EXPECT_GE(std::chrono::steady_clock::now() - before, limits::kWatchPause - milliseconds(50));
    EXPECT_EQ(message.counts(0).views(), views);
  }
  pipeline.Await([](CountWatcher& stopped) -> boost::asio::awaitable<void> {
    stopped.Stop();
    co_return;
  }(watcher));
  running.get();
}

}  // namespace
}  // namespace viewcount
