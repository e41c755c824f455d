// Compares the bounded ranking with a full sort. For any views in any order, the ranking is the top K after every
// flush.
#include <gtest/gtest.h>

#include "service/base/hash.h"
#include "service/store/redis/keys.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"
#include "tests/unit/flush/ranking_model.h"

namespace viewcount {
namespace {

// This hour begins two hours before the last midnight but one (UTC). It and the hours after it fall on two days. Hours
// that are not kept any more would be left out.
int64_t FirstHourMs() {
  static const int64_t first = (SystemClock().UnixMillis() / 86'400'000 * 24 - 26) * 3'600'000;
  return first;
}

// Describes one stream of views.
struct Stream {
  RankedLimits ranked;
  size_t articles = 100;
  uint32_t shards = limits::kShards;
  int rounds = 4;
  size_t views_per_round = 200;
  // All counts are between 1 and this value. A smaller value gives more ties.
  uint32_t count_max = 3;
  uint32_t hours = 3;
  // After each round one in this many articles of each hash is lowered. 0 lowers none.
  uint32_t lower_one_in = 0;
};

std::string Describe(const Stream& stream) {
  return "K " + std::to_string(stream.ranked.all_time_and_day) + ", for hours " + std::to_string(stream.ranked.hour) +
         ", articles " + std::to_string(stream.articles) + ", shards " + std::to_string(stream.shards);
}

std::vector<DecodedView> RandomViews(const Stream& stream, const std::vector<std::string>& ids,
                                     std::mt19937_64& random) {
  std::vector<DecodedView> views;
  for (size_t i = 0; i < stream.views_per_round; ++i) {
    // The random number is squared, so a few articles occur often and most occur rarely.
    const double place = std::uniform_real_distribution<>(0, 1)(random);
    DecodedView view;
    view.article_id = ids[static_cast<size_t>(place * place * static_cast<double>(ids.size()))];
    view.event_time_unix_ms = FirstHourMs() + static_cast<int64_t>(random() % stream.hours) * 3'600'000 + 5;
    view.count = 1 + static_cast<uint32_t>(random() % stream.count_max);
    view.bot = random() % 10 == 0;
    views.push_back(view);
  }
  return views;
}

// Lowers random articles of every hash as an administrator does. The changes are applied through parts of a separate
// lane.
class Adjuster {
 public:
  explicit Adjuster(LanePipeline& pipeline) : pipeline_(pipeline) {}

  void LowerSome(RankingModel& model, const std::string& site, uint32_t one_in, std::mt19937_64& random) {
    const auto hashes = model.hashes();
    for (const auto& [key, totals] : hashes) {
      const auto& [shard, window] = key;
      HashDelta hash{.site = site, .window = window, .deltas = {}, .adjustment = true};
      for (const auto& [id, views] : totals) {
        if (random() % one_in != 0 || hash.deltas.size() == limits::kFlushPartArticlesMax) continue;
        // Half of the changes subtract only one view, so that ties arise. Some changes lower an article to 0.
        const uint64_t less = random() % 2 == 0 ? 1 : 1 + random() % views;
        hash.deltas.push_back({id, -static_cast<int64_t>(less)});
        model.Lower(shard, window, id, less);
      }
      ASSERT_NO_FATAL_FAILURE(Apply(shard, std::move(hash)));
    }
  }

 private:
  void Apply(Shard shard, HashDelta hash) {
    const auto claimed = pipeline_.Await(pipeline_.store().Claim(shard, lane_));
    ASSERT_TRUE(claimed.ok()) << claimed.status();
    Part part{.shard = shard, .lane = lane_.id, .incarnation = lane_.incarnation, .expected = claimed->cursor};
    part.next = Cursor::End(Position{claimed->cursor.to().value + 1});
    part.hashes.push_back(std::move(hash));
    const auto result = pipeline_.Await(pipeline_.store().Apply(part));
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_TRUE(result->applied && result->set_aside.empty());
  }

  LanePipeline& pipeline_;
  const LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
};

RankedTotals StoredRanking(RedisProcess& redis, const std::string& key) {
  const auto words = redis.List({"ZRANGE", key, "0", "-1", "WITHSCORES"});
  RankedTotals ranked;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    // The empty member is not an article: see KEYS.md.
    if (!words[i].empty()) ranked.emplace_back(words[i], -std::stoll(words[i + 1]));
  }
  return ranked;
}

Totals StoredHash(RedisProcess& redis, const std::string& key) {
  const auto words = redis.List({"HGETALL", key});
  Totals totals;
  for (size_t i = 0; i + 1 < words.size(); i += 2) totals[words[i]] = std::stoull(words[i + 1]);
  return totals;
}

void ExpectStoreHolds(RedisProcess& redis, const std::string& site, const RankingModel& model,
                      const RankedLimits& ranked) {
  for (const auto& [key, totals] : model.hashes()) {
    const auto& [shard, window] = key;
    const std::string name = keys::Counts(shard, site, window);
    Totals expected = totals;
    for (const auto& [id, views] : totals) expected[""] += views;
    // A hash whose articles were all lowered to 0 does not exist in Redis.
    ASSERT_EQ(StoredHash(redis, name), expected) << name;
    if (window.kind == Window::Kind::kBots) continue;
    ASSERT_EQ(StoredRanking(redis, keys::Ranking(shard, site, window)), HighestOf(totals, ranked.Of(window.kind)))
        << name;
  }
}

// Checks the first `count` entries of the popular list. A ranking of K articles proves only the first K.
void ExpectPopular(LanePipeline& pipeline, const RankingModel& model, Window window, size_t count) {
  const auto popular = pipeline.Popular(window);
  ASSERT_TRUE(popular.ok()) << popular.status();
  EXPECT_TRUE(popular->exact);
  RankedTotals found;
  for (const PopularArticle& article : popular->articles) found.emplace_back(article.article_id, article.views);
  ASSERT_LE(found.size(), limits::kRankedAllTimeAndDay);
  found.resize(std::min(found.size(), count));
  ASSERT_EQ(found, HighestOf(model.Of(window), count)) << "window " << window.number;
}

// Every stream has its own site, and all sites share one Redis.
class RankingTest : public ::testing::Test {
 protected:
  void Run(const Stream& stream) {
    SCOPED_TRACE(Describe(stream));
    const std::string site = "stream-" + std::to_string(++streams_);
    LanePipeline pipeline(redis_, {.ranked = stream.ranked, .site = site});
    ASSERT_TRUE(pipeline.Open().ok());
    RankingModel model(*pipeline.site());
    Adjuster adjuster(pipeline);
    const auto ids = HardIds(*pipeline.site(), stream.articles, stream.shards, random_);
    const size_t proven = std::min(stream.ranked.all_time_and_day, limits::kRankedAllTimeAndDay);
    for (int round = 0; round < stream.rounds; ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      const auto views = RandomViews(stream, ids, random_);
      for (const DecodedView& view : views) model.Add(view);
      pipeline.Fold(views);
      // For up to a second, readers may use remembered counts from before an adjustment lowered them.
      const bool readable = stream.lower_one_in == 0;
      for (const Window window : {kAll, Window{Window::Kind::kDay, 20261122}, Window{Window::Kind::kDay, 20261123}}) {
        if (!readable) continue;
        ASSERT_NO_FATAL_FAILURE(ExpectPopular(pipeline, model, window, proven)) << "before the flush";
      }
      ASSERT_TRUE(pipeline.Flush().ok());
      ASSERT_NO_FATAL_FAILURE(ExpectStoreHolds(redis_, site, model, stream.ranked));
      if (readable) {
        ASSERT_NO_FATAL_FAILURE(ExpectPopular(pipeline, model, kAll, proven)) << "after the flush";
        continue;
      }
      ASSERT_NO_FATAL_FAILURE(adjuster.LowerSome(model, site, stream.lower_one_in, random_));
      ASSERT_NO_FATAL_FAILURE(ExpectStoreHolds(redis_, site, model, stream.ranked));
    }
  }

  const uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  RedisProcess redis_;
  int streams_ = 0;
};

TEST_F(RankingTest, EqualsAFullSortAtEveryLimit) {
  for (uint32_t ranked : {1u, 2u, 3u, 4u, 199u, 200u}) {
    ASSERT_NO_FATAL_FAILURE(Run({.ranked = {ranked, 1 + ranked / 2},
                                 .articles = 3 * ranked + 20,
                                 .shards = 2,
                                 .views_per_round = 8 * ranked + 40}));
  }
  for (int i = 0; i < 12; ++i) {
    const auto ranked = static_cast<uint32_t>(1 + random_() % 200);
    ASSERT_NO_FATAL_FAILURE(Run({.ranked = {ranked, static_cast<uint32_t>(1 + random_() % 64)},
                                 .articles = 10 + random_() % 1'000,
                                 .shards = static_cast<uint32_t>(1 + random_() % 4),
                                 .views_per_round = 50 + random_() % 1'000,
                                 .count_max = static_cast<uint32_t>(1 + random_() % 4)}));
  }
}

TEST_F(RankingTest, EqualsAFullSortWhenAllTotalsAreEqual) {
  for (uint32_t ranked : {1u, 5u, 50u}) {
    ASSERT_NO_FATAL_FAILURE(Run({.ranked = {ranked, ranked},
                                 .articles = 300,
                                 .shards = 2,
                                 .rounds = 6,
                                 .views_per_round = 60,
                                 .count_max = 1,
                                 .hours = 1}));
  }
}

TEST_F(RankingTest, EqualsAFullSortOverChunksOfManyParts) {
  Run({.ranked = {100, 30}, .articles = 4'000, .shards = 2, .rounds = 3, .views_per_round = 8'000, .hours = 4});
}

TEST_F(RankingTest, EqualsAFullSortOverAllShardsAsConfigured) {
  Run({.ranked = {}, .articles = 3'000, .rounds = 3, .views_per_round = 6'000});
}

TEST_F(RankingTest, EqualsAFullSortAfterCountsWereLowered) {
  for (int i = 0; i < 10; ++i) {
    const auto ranked = static_cast<uint32_t>(1 + random_() % 40);
    ASSERT_NO_FATAL_FAILURE(Run({.ranked = {ranked, static_cast<uint32_t>(1 + random_() % 20)},
                                 .articles = 10 + random_() % 400,
                                 .shards = static_cast<uint32_t>(1 + random_() % 2),
                                 .views_per_round = 50 + random_() % 600,
                                 .lower_one_in = static_cast<uint32_t>(1 + random_() % 30)}));
  }
}

// One shard holds more articles than its ranking. The popular list then depends on articles that are not ranked.
TEST_F(RankingTest, PopularIsExactWhereItRestsOnArticlesThatAreNotRanked) {
  Run({.ranked = {},
       .articles = 1'500,
       .shards = 1,
       .rounds = 5,
       .views_per_round = 1'500,
       .count_max = 2,
       .hours = 1});
}

}  // namespace
}  // namespace viewcount
