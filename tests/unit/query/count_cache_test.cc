// Tests which counts the cache keeps, and how many.
#include "service/query/count_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/hash.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

const std::vector<Window> kWindows(CountCache::kRemembered.begin(), CountCache::kRemembered.end());

class CountCacheTest : public ::testing::Test {
 protected:
  // Acts as if the store had just answered `views` for the article.
  bool Read(const std::string& id, uint64_t views, const std::optional<LaneEntry>& entry, SteadyTime read_at = {}) {
    ShardCounts counts{.counts = {{static_cast<int64_t>(views)}, {0}, {0}}, .lanes = {entry}};
    const std::vector<ArticleRef> articles = {{id, ArticleHash(site_.seed, id)}};
    const bool taken = cache_.Complete(site_, kShard, articles, kWindows, read_at, true, counts);
    completed_ = static_cast<uint64_t>(counts.counts[0][0]);
    return taken;
  }
  // Acts as if the store had answered with the flusher's cursor.
  bool Read(const std::string& id, uint64_t views, SteadyTime read_at = {}) {
    return Read(id, views, LaneEntry{incarnation_, Cursor::End(kBegin)}, read_at);
  }
  // Returns one of the articles that belong to the shard; `number` selects which.
  std::string IdOf(Shard shard, int number = 0) const {
    for (int i = 0;; ++i) {
      std::string id = "story " + std::to_string(i);
      if (ShardOf(ArticleHash(site_.seed, id)) == shard && number-- == 0) return id;
    }
  }
  std::optional<CountCache::Known> Find(const std::string& id, SteadyTime not_before = SteadyTime::min()) {
    return cache_.Find(site_, kShard, {id, ArticleHash(site_.seed, id)}, not_before);
  }
  // Returns what the flusher gives to its listener: a function that moves the shard's cursor to `end`.
  auto MoveTo(Position end) {
    return [this, end] { ledger_.SetCursor(kShard, Cursor::End(end)); };
  }

  static constexpr Shard kShard{3};
  static constexpr Position kBegin{100};
  const Site site_ = *MakeSite("demo", {});
  const Incarnation incarnation_ = RandomId<Incarnation>();
  // The views of an earlier process, up to kBegin, are already in the store.
  Ledger ledger_{RandomId<LaneId>(), {.end = kBegin, .folding = {}}};
  CountCache cache_{{{&ledger_, incarnation_}}};
  uint64_t completed_ = 0;
};

TEST_F(CountCacheTest, WhatWasReadIsKnown) {
  EXPECT_FALSE(Find("a"));
  const SteadyTime read_at = SteadyTime() + std::chrono::hours(1);
  EXPECT_TRUE(Read("a", 7, read_at));
  ASSERT_TRUE(Find("a"));
  EXPECT_EQ(Find("a")->totals.views, 7u);
  EXPECT_EQ(Find("a")->read_at, read_at);
  EXPECT_TRUE(Find("a", read_at));
  EXPECT_FALSE(Find("a", read_at + std::chrono::milliseconds(1)));
}

TEST_F(CountCacheTest, AnswersOlderThanWhatIsKnownAreRefused) {
  EXPECT_FALSE(Read("a", 7, std::nullopt));
  EXPECT_FALSE(Read("a", 7, LaneEntry{incarnation_, Cursor::End(Position{90})}));
  EXPECT_FALSE(Read("a", 7, LaneEntry{RandomId<Incarnation>(), Cursor::End(Position{100})}));
  EXPECT_FALSE(Find("a"));
  EXPECT_TRUE(Read("a", 7, LaneEntry{incarnation_, Cursor::End(Position{100})}));
  EXPECT_EQ(completed_, 7u);
  EXPECT_TRUE(Find("a"));
}

// The reader saw a cursor that the flusher does not know yet. The flusher will add those views later, so the remembered
// count excludes them.
TEST_F(CountCacheTest, AnswersAheadOfTheFlusherAreRememberedAsTheFlusherKnowsThem) {
  const auto id = IdOf(kShard);
  TestBatch batch({id, id, id});
  batch.site = site_.index;
  ledger_.ApplySite(std::make_shared<const Site>(site_));
  ledger_.Fold(batch);
  ledger_.MarkDurable(Position{200});
  const auto sealed = ledger_.Next();
  ASSERT_NE(sealed.chunk, nullptr);
  EXPECT_TRUE(Read(id, 7, LaneEntry{incarnation_, Cursor::End(Position{200})}));
  EXPECT_EQ(completed_, 7u);
  ASSERT_TRUE(Find(id));
  EXPECT_EQ(Find(id)->totals.views, 7u);
  const std::vector<uint32_t> applied = {0};
  cache_.Applied(kShard, MoveTo(Position{200}), *sealed.chunk, applied);
  EXPECT_EQ(Find(id)->totals.views, 7u);
  EXPECT_FALSE(Read(id, 7, LaneEntry{incarnation_, Cursor::End(Position{300})})) << "nobody knows what is beyond";
}

TEST_F(CountCacheTest, ManyAreFoundAtOnceOrNone) {
  const auto site = std::make_shared<const Site>(site_);
  const std::vector<std::string> ids = {IdOf(kShard), IdOf(kShard, 1)};
  std::vector<ArticleRef> articles;
  for (const std::string& id : ids) articles.push_back({id, ArticleHash(site_.seed, id)});
  std::vector<ArticleTotals> totals(articles.size());
  const SteadyTime second = SteadyTime() + std::chrono::seconds(1);
  EXPECT_TRUE(Read(ids[0], 7, second));
  EXPECT_FALSE(cache_.FindAll(site, articles, SteadyTime(), SteadyTime(), totals));
  EXPECT_TRUE(Read(ids[1], 8));
  EXPECT_EQ(cache_.FindAll(site, articles, SteadyTime(), SteadyTime(), totals), SteadyTime());
  EXPECT_EQ(totals[0].views, 7u);
  EXPECT_EQ(totals[1].views, 8u);
  EXPECT_FALSE(cache_.FindAll(site, articles, second, SteadyTime(), totals)) << "one is too old";
  EXPECT_TRUE(cache_.TakeWanted(kShard).empty());
  // Counts that were read before the second limit are requested again, but only once.
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(cache_.FindAll(site, articles, SteadyTime(), second, totals));
  const auto wanted = cache_.TakeWanted(kShard);
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted[0].id, ids[1]);
  EXPECT_TRUE(cache_.TakeWanted(kShard).empty());
}

// Until the shard's cursor is known, its pending views are unknown.
TEST_F(CountCacheTest, AnAbsentShardIsNotAnsweredFor) {
  EXPECT_TRUE(Read("a", 7));
  ledger_.Withdraw(ShardSet::Of(kShard));
  EXPECT_FALSE(Find("a"));
  EXPECT_FALSE(Read("a", 7));
  cache_.Rewound(kShard, MoveTo(kBegin));
  EXPECT_FALSE(Find("a"));
  EXPECT_TRUE(Read("a", 7));
  EXPECT_TRUE(Find("a"));
}

TEST_F(CountCacheTest, ARewoundShardForgets) {
  EXPECT_TRUE(Read("a", 7));
  cache_.Rewound(kShard, MoveTo(kBegin));
  EXPECT_FALSE(Find("a"));
  EXPECT_EQ(ledger_.Lock().CursorOf(kShard), Cursor::End(kBegin));
}

TEST_F(CountCacheTest, IsBoundedAndForgetsWhatWasAskedForLongestAgo) {
  const auto id = [](size_t i) { return "article " + std::to_string(i); };
  constexpr size_t kArticles = 2 * limits::kCountCacheArticlesPerShardMax;
  for (size_t i = 0; i < kArticles; ++i) {
    ASSERT_TRUE(Read(id(i), i));
    if (i % 100 == 0) {
      ASSERT_TRUE(Read("hot", 1));
    }
  }
  size_t known = 0;
  for (size_t i = 0; i < kArticles; ++i) known += Find(id(i)).has_value();
  EXPECT_LE(known, limits::kCountCacheArticlesPerShardMax);
  EXPECT_GE(known, limits::kCountCacheArticlesPerShardMax / 4);
  EXPECT_FALSE(Find(id(0)));
  EXPECT_TRUE(Find(id(kArticles - 1)));
  EXPECT_TRUE(Find("hot"));
}

}  // namespace
}  // namespace viewcount
