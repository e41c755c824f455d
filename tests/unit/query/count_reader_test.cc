// Tests counts as readers see them while Redis is available, killed, silent, and shared with another instance.
#include "service/query/count_reader.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "service/base/status.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

const std::vector<std::string> kDurable = {"--appendonly", "yes", "--appendfsync", "always"};

uint64_t ViewsOf(LanePipeline& pipeline, const std::string& id) {
  const auto read = pipeline.Read({id});
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? read->totals[0].views : 0;
}

TEST(CountReader, AnswersInTheOrderAskedWithZeroForTheUnknown) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  std::vector<std::string> ids;
  for (int i = 0; i < 500; ++i) ids.push_back("story " + std::to_string(i));
  for (int i = 0; i < 500; i += 2) pipeline.Fold(ids[i], static_cast<uint32_t>(1 + i));
  ASSERT_TRUE(pipeline.Flush().ok());
  for (int i = 0; i < 500; i += 4) pipeline.Fold(ids[i], 1'000);
  ids.push_back(ids[4]);
  const auto read = pipeline.Read(ids);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->exact);
  for (uint64_t i = 0; i < 500; ++i) {
    EXPECT_EQ(read->totals[i].views, i % 2 != 0 ? 0 : 1 + i + (i % 4 == 0 ? 1'000 : 0)) << i;
  }
  EXPECT_EQ(read->totals[500].views, 1'005u);
}

TEST(CountReader, BotsAreApartBeforeAndAfterTheFlush) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold({{.article_id = "a", .count = 2}, {.article_id = "a", .count = 30, .bot = true}});
  for (int i = 0; i < 2; ++i) {
    const auto read = pipeline.Read({"a"});
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->totals[0].views, 2u);
    EXPECT_EQ(read->totals[0].bot_views, 30u);
    ASSERT_TRUE(pipeline.Flush().ok());
  }
}

TEST(CountReader, TheCacheIsTrueToWhatIsFoldedAndFlushed) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  const std::vector<std::string_view> ids = {"a"};
  EXPECT_FALSE(pipeline.counts().ReadCached(pipeline.site(), ids));
  EXPECT_EQ(ViewsOf(pipeline, "a"), 0u);
  // Looks the count up in the cache, whatever its age. This test is not about age.
  const Site& site = *pipeline.site();
  const ArticleRef article{"a", ArticleHash(site.seed, "a")};
  for (uint64_t views = 1; views <= 20; ++views) {
    pipeline.Fold("a");
    EXPECT_EQ(pipeline.cache().Find(site, ShardOf(article.hash), article, SteadyTime::min())->totals.views, views);
    if (views % 3 == 0) {
      ASSERT_TRUE(pipeline.Flush().ok());
    }
    EXPECT_EQ(pipeline.cache().Find(site, ShardOf(article.hash), article, SteadyTime::min())->totals.views, views);
  }
}

TEST(CountReader, WhileRedisIsKilledReadsAreTheLastKnownAndWhatIsPending) {
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("a", 5);
  ASSERT_TRUE(pipeline.Flush().ok());
  ASSERT_EQ(ViewsOf(pipeline, "a"), 5u);
  redis.Kill();
  pipeline.Fold("a", 2);
  ASSERT_TRUE(Eventually([&] { return !pipeline.store().problem().empty(); }));
  const auto read = pipeline.Read({"a"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->totals[0].views, 7u);
  EXPECT_FALSE(read->exact);
  redis.Start();
  absl::StatusOr<Counts> again;
  EXPECT_TRUE(Eventually([&] { return (again = pipeline.Read({"a"})).ok() && again->exact; }));
  EXPECT_EQ(again->totals[0].views, 7u);
}

TEST(CountReader, AnArticleThatWasNeverReadIsUnavailableWhileRedisIsAway) {
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("a", 5);
  ASSERT_TRUE(pipeline.Flush().ok());
  ASSERT_EQ(ViewsOf(pipeline, "a"), 5u);
  redis.Kill();
  ASSERT_TRUE(Eventually([&] { return !pipeline.store().problem().empty(); }));
  const auto read = pipeline.Read({"a", "never asked for"});
  EXPECT_TRUE(absl::IsUnavailable(read.status())) << read.status();
  EXPECT_TRUE(read.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
}

TEST(CountReader, ASilentRedisIsWaitedForOnceThenAnsweredFromMemory) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("a", 5);
  ASSERT_EQ(ViewsOf(pipeline, "a"), 5u);
  kill(redis.pid(), SIGSTOP);
  const auto read = pipeline.Read({"a"});
  kill(redis.pid(), SIGCONT);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->totals[0].views, 5u);
  EXPECT_FALSE(read->exact);
}

// A reader runs on its own thread while views are folded and flushed and Redis is killed. No count may ever fall. No
// count may be below the number of views folded before the read.
TEST(CountReader, NoReadIsBelowWhatWasFolded) {
  std::mt19937_64 random(TestSeed());
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  constexpr int kArticles = 8;
  std::vector<std::string> ids;
  for (int i = 0; i < kArticles; ++i) ids.push_back("story " + std::to_string(i));
  ASSERT_TRUE(pipeline.Read(ids).ok());
  std::array<std::atomic<uint64_t>, kArticles> folded{};
  std::atomic<bool> done = false;
  std::atomic<int> exact_reads = 0;
  std::thread reader([&] {
    while (!done) {
      std::array<uint64_t, kArticles> before;
      for (int i = 0; i < kArticles; ++i) before[i] = folded[i];
      const auto read = pipeline.Read(ids);
      // After a restart the store may be older than the data that was written to it. The read is then answered from
      // memory.
      ASSERT_TRUE(read.ok()) << read.status();
      exact_reads += read->exact;
      for (int i = 0; i < kArticles; ++i) {
        EXPECT_GE(read->totals[i].views, before[i]) << ids[i];
        EXPECT_LE(read->totals[i].views, folded[i] + 1) << ids[i];
      }
    }
  });
  for (int round = 0; round < 4; ++round) {
    for (int step = 0; step < 300; ++step) {
      const size_t article = random() % kArticles;
      pipeline.Fold(ids[article]);
      ++folded[article];
      if (random() % 10 == 0) (void)pipeline.Flush();
    }
    redis.Kill();
    pipeline.Fold(ids[0]);
    ++folded[0];
    (void)pipeline.Flush();
    redis.Start();
    ASSERT_TRUE(Eventually([&] { return pipeline.Flush().ok(); }));
  }
  const int before = exact_reads;
  EXPECT_TRUE(Eventually([&] { return exact_reads > before; }));
  done = true;
  reader.join();
  const auto last = pipeline.Read(ids);
  ASSERT_TRUE(last.ok());
  for (int i = 0; i < kArticles; ++i) EXPECT_EQ(last->totals[i].views, folded[i]);
}

// One read asks Redis for the viewers of every article, so these need several times kStorePendingCommandsMax commands.
TEST(CountReader, ManyQuestionsAtOnceWaitForEachOther) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  constexpr size_t kQuestions = 200;
  constexpr size_t kArticles = 200;
  static_assert(kQuestions * kArticles > 3 * limits::kStorePendingCommandsMax);
  for (size_t i = 0; i < kQuestions; ++i) pipeline.Fold(std::to_string(i) + "/0", static_cast<uint32_t>(1 + i));
  ASSERT_TRUE(pipeline.Flush().ok());
  // While Redis answers nothing, the questions join the rounds that follow.
  ASSERT_EQ(kill(redis.pid(), SIGSTOP), 0);
  std::vector<std::future<absl::StatusOr<Counts>>> answers;
  std::vector<std::vector<std::string>> questions(kQuestions);
  for (size_t i = 0; i < kQuestions; ++i) {
    for (size_t article = 0; article < kArticles; ++article) {
      questions[i].push_back(std::to_string(i) + "/" + std::to_string(article));
    }
    answers.push_back(pipeline.Spawn(pipeline.counts().Read(pipeline.site(), questions[i])));
  }
  ASSERT_EQ(kill(redis.pid(), SIGCONT), 0);
  for (size_t i = 0; i < kQuestions; ++i) {
    const auto counts = answers[i].get();
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_TRUE(counts->exact);
    EXPECT_EQ(counts->totals[0].views, 1 + i);
  }
}

// Two writers share one store. Each sees its own views immediately, and the other's views after the other's flush.
TEST(CountReader, AnotherWritersViewsAreSeenAfterItsFlush) {
  RedisProcess redis;
  LanePipeline one(redis);
  ASSERT_TRUE(one.Open().ok());
  LanePipeline other(redis, {.data_set = one.store().data_set()});
  ASSERT_TRUE(other.Open().ok());
  one.Fold("a", 1);
  other.Fold("a", 20);
  EXPECT_EQ(ViewsOf(one, "a"), 1u);
  EXPECT_EQ(ViewsOf(other, "a"), 20u);
  ASSERT_TRUE(other.Flush().ok());
  EXPECT_EQ(ViewsOf(one, "a"), 21u);
  EXPECT_EQ(ViewsOf(other, "a"), 20u);
  ASSERT_TRUE(one.Flush().ok());
  for (LanePipeline* pipeline : {&one, &other}) EXPECT_EQ(ViewsOf(*pipeline, "a"), 21u);
  const auto popular = other.Popular();
  ASSERT_TRUE(popular.ok());
  ASSERT_EQ(popular->articles.size(), 1u);
  EXPECT_EQ(popular->articles[0].views, 21u);
}

}  // namespace
}  // namespace viewcount
