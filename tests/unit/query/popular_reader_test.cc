// Tests popular lists by day and by site, without bots, and with two writers. tests/unit/flush/ranking_test.cc shows
// that the lists equal a full sort.
#include "service/query/popular_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// kEveningMs is 2026-11-22T16:30Z, which is 23:30 in Hanoi. kNextDayMs is one hour later.
constexpr int64_t kEveningMs = (int64_t{498'712} * 60 + 30) * 60'000;
constexpr int64_t kNextDayMs = kEveningMs + 3'600'000;

std::vector<std::string> Texts(const absl::StatusOr<PopularList>& list) {
  EXPECT_TRUE(list.ok()) << list.status();
  std::vector<std::string> texts;
  if (!list.ok()) return texts;
  EXPECT_TRUE(list->exact);
  for (const PopularArticle& article : list->articles)
    texts.push_back(article.article_id + " " + std::to_string(article.views));
  return texts;
}

TEST(PopularReader, DaysAreTheSites) {
  RedisProcess redis;
  LanePipeline pipeline(redis, {.time_zone = "Asia/Ho_Chi_Minh"});
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold({{.article_id = "evening", .event_time_unix_ms = kEveningMs, .count = 3},
                 {.article_id = "both", .event_time_unix_ms = kEveningMs, .count = 1},
                 {.article_id = "both", .event_time_unix_ms = kNextDayMs, .count = 7}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Texts(pipeline.Popular({Window::Kind::kDay, 20261122})), ElementsAre("evening 3", "both 1"));
    EXPECT_THAT(Texts(pipeline.Popular({Window::Kind::kDay, 20261123})), ElementsAre("both 7"));
    EXPECT_THAT(Texts(pipeline.Popular({Window::Kind::kDay, 20261124})), IsEmpty());
    EXPECT_THAT(Texts(pipeline.Popular()), ElementsAre("both 8", "evening 3"));
    ASSERT_TRUE(pipeline.Flush().ok());
  }
}

TEST(PopularReader, BotsMakeNothingPopular) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold({{.article_id = "read", .count = 2},
                 {.article_id = "read", .count = 50, .bot = true},
                 {.article_id = "crawled", .count = 900, .bot = true}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Texts(pipeline.Popular()), ElementsAre("read 2"));
    ASSERT_TRUE(pipeline.Flush().ok());
  }
}

TEST(PopularReader, SitesAreApart) {
  RedisProcess redis;
  LanePipeline sports(redis, {.site = "sports"});
  ASSERT_TRUE(sports.Open().ok());
  LanePipeline news(redis, {.site = "news"});
  ASSERT_TRUE(news.Open().ok());
  sports.Fold("shared", 5);
  sports.Fold("goal", 6);
  news.Fold("shared", 100);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Texts(sports.Popular()), ElementsAre("goal 6", "shared 5"));
    EXPECT_THAT(Texts(news.Popular()), ElementsAre("shared 100"));
    ASSERT_TRUE(sports.Flush().ok());
    ASSERT_TRUE(news.Flush().ok());
  }
}

TEST(PopularReader, AnotherWritersViewsAreSeenAfterItsFlush) {
  RedisProcess redis;
  LanePipeline one(redis);
  ASSERT_TRUE(one.Open().ok());
  LanePipeline other(redis, {.data_set = one.store().data_set()});
  ASSERT_TRUE(other.Open().ok());
  one.Fold("a", 3);
  other.Fold("b", 5);
  EXPECT_THAT(Texts(one.Popular()), ElementsAre("a 3"));
  ASSERT_TRUE(other.Flush().ok());
  EXPECT_THAT(Texts(one.Popular()), ElementsAre("b 5", "a 3"));
  one.Fold("b", 2);
  EXPECT_THAT(Texts(one.Popular()), ElementsAre("b 7", "a 3"));
  EXPECT_THAT(Texts(other.Popular()), ElementsAre("b 5"));
}

TEST(PopularReader, IsUnavailableWhileRedisIsAway) {
  RedisProcess redis({"--appendonly", "yes"});
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("a");
  redis.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline.store().problem().empty(); }));
  const auto popular = pipeline.Popular();
  EXPECT_TRUE(absl::IsUnavailable(popular.status())) << popular.status();
  EXPECT_TRUE(popular.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo")) << popular.status();
  redis.Start();
  EXPECT_TRUE(Eventually([&] { return pipeline.Popular().ok(); }));
  EXPECT_THAT(Texts(pipeline.Popular()), ElementsAre("a 1"));
}

std::vector<std::string> InexactTexts(absl::StatusOr<PopularList> list) {
  EXPECT_TRUE(list.ok()) << list.status();
  if (!list.ok()) return {};
  EXPECT_FALSE(list->exact);
  list->exact = true;
  return Texts(list);
}

class PopularWithoutRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    pipeline_.Fold("a", 3);
    pipeline_.Fold("b", 2);
    ASSERT_TRUE(pipeline_.Flush().ok());
  }
  void Kill() {
    redis_.Kill();
    ASSERT_TRUE(Eventually([&] { return !pipeline_.store().problem().empty(); }));
  }
  absl::StatusOr<PopularList> Read() { return pipeline_.Await(reader_.Read(pipeline_.site(), {})); }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_};
  ManualClock clock_;
  PopularReader reader_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}, clock_};
};

TEST_F(PopularWithoutRedis, TheListReadLastIsAnsweredWithWhatIsPending) {
  EXPECT_THAT(Texts(Read()), ElementsAre("a 3", "b 2"));
  Kill();
  pipeline_.Fold("b", 4);
  pipeline_.Fold("c", 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(InexactTexts(Read()), ElementsAre("b 6", "a 3", "c 1"));
    // The list remains available, however long the outage lasts.
    clock_.Advance(std::chrono::minutes(10));
    pipeline_.Await([](PopularReader& reader) -> boost::asio::awaitable<bool> {
      co_await reader.Refresh();
      co_return true;
    }(reader_));
  }
  redis_.Start();
  EXPECT_TRUE(Eventually([&] {
    const auto list = Read();
    return list.ok() && list->exact;
  }));
  EXPECT_THAT(Texts(Read()), ElementsAre("b 6", "a 3", "c 1"));
}

TEST_F(PopularWithoutRedis, AListOfLongAgoIsAnsweredWithWhatIsPendingSince) {
  EXPECT_THAT(Texts(Read()), ElementsAre("a 3", "b 2"));
  clock_.Advance(std::chrono::minutes(10));
  // Refresh() releases the rankings of this list, because they are too old.
  pipeline_.Await([](PopularReader& reader) -> boost::asio::awaitable<bool> {
    co_await reader.Refresh();
    co_return true;
  }(reader_));
  Kill();
  pipeline_.Fold("b", 4);
  pipeline_.Fold("c", 1);
  const auto list = Read();
  EXPECT_THAT(InexactTexts(list), ElementsAre("b 6", "a 3"));
  // The new article is missing from the list. It has no more views than the error bound.
  EXPECT_EQ(list->error_bound, 5u);
}

TEST_F(PopularWithoutRedis, WhatWasFlushedSinceIsNotCountedTwice) {
  EXPECT_THAT(Texts(Read()), ElementsAre("a 3", "b 2"));
  pipeline_.Fold("b", 4);
  EXPECT_THAT(Texts(Read()), ElementsAre("b 6", "a 3"));
  Kill();
  pipeline_.Fold("a", 1);
  // The rankings have not been released, so they give the other counts.
  EXPECT_THAT(InexactTexts(Read()), ElementsAre("b 6", "a 4"));
}

TEST(PopularReader, IsUnavailableWhileRedisIsSilent) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  kill(redis.pid(), SIGSTOP);
  const auto popular = pipeline.Popular();
  kill(redis.pid(), SIGCONT);
  EXPECT_TRUE(absl::IsUnavailable(popular.status())) << popular.status();
  EXPECT_TRUE(popular.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo")) << popular.status();
}

}  // namespace
}  // namespace viewcount
