// Tests how a chunk is laid out for the store, in which order, in which parts, and with which cursors between them.
#include "service/flush/chunk_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "service/base/hash.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Position kFrom{100};
constexpr Position kTo{200};
const LaneIdentity kLane{.id = {{1}}, .incarnation = {{2}}};

class ChunkPlanTest : public ::testing::Test {
 protected:
  ChunkPlanTest() {
    for (const char* name : {"zeta", "alpha"}) EXPECT_TRUE(sites_.Put(*MakeSite(name, {})).ok());
  }

  void Add(const std::string& site, const std::string& id, uint32_t hour = 10, uint64_t count = 1, bool bot = false) {
    const auto of = sites_.Find(site);
    const uint32_t bucket = chunk_->BucketIndex({of->index, hour, 20260101 + hour / 24});
    chunk_->Add(of->index, ArticleHash(of->seed, id), id, bucket, count, bot);
  }
  // Returns an article ID of the site that belongs to `shard`.
  std::string IdIn(const std::string& site, Shard shard, const std::string& prefix = "news") {
    const auto of = sites_.Find(site);
    for (;; ++number_) {
      std::string id = prefix + std::to_string(number_);
      if (ShardOf(ArticleHash(of->seed, id)) == shard) return ++number_, id;
    }
  }
  ChunkPlan Plan(ShardSet shards = ShardSet::All()) {
    chunk_->Extend(kTo, SteadyTime());
    return ChunkPlan({chunk_, shards}, sites_);
  }
  // Returns all parts of a shard, from `cursor` to the end of the chunk.
  static std::vector<PlannedPart> Walk(ChunkPlan& plan, Shard shard, Cursor cursor) {
    std::vector<PlannedPart> parts;
    while (!plan.IsFinished(shard, cursor)) {
      parts.push_back(plan.NextPart(shard, cursor, kLane));
      EXPECT_EQ(parts.back().part.expected, cursor);
      EXPECT_GT(parts.back().part.next, cursor);
      cursor = parts.back().part.next;
    }
    return parts;
  }
  std::vector<std::string> KeysOf(const ChunkPlan& plan, std::span<const uint32_t> articles) const {
    std::vector<std::string> keys;
    for (const uint32_t index : articles) {
      const Chunk::Article& article = plan.chunk().articles()[index];
      keys.push_back(sites_.At(article.site)->name + "/" + std::string(article.id));
    }
    return keys;
  }
  static size_t FieldsOf(const Part& part) {
    size_t fields = 0;
    for (const HashDelta& hash : part.hashes) fields += hash.deltas.size();
    return fields;
  }

  SiteDirectory sites_;
  std::shared_ptr<Chunk> chunk_ = std::make_shared<Chunk>(kFrom);
  int number_ = 0;
};

TEST_F(ChunkPlanTest, ArticlesGoInOrderOfSiteThenIdBytewise) {
  const Shard shard{7};
  std::vector<std::string> expected;
  for (const char* site : {"zeta", "alpha"}) {
    for (const char* prefix : {"b", "a", "é", "Z", "a "}) {
      const std::string id = IdIn(site, shard, prefix);
      Add(site, id);
      expected.push_back(std::string(site) + "/" + id);
    }
  }
  std::sort(expected.begin(), expected.end());
  ChunkPlan plan = Plan();
  const PlannedPart planned = plan.NextPart(shard, Cursor::End(kFrom), kLane);
  EXPECT_EQ(KeysOf(plan, planned.articles), expected);
  EXPECT_EQ(planned.part.lane, kLane.id);
  EXPECT_EQ(planned.part.incarnation, kLane.incarnation);
  EXPECT_EQ(planned.part.shard, shard);
  EXPECT_EQ(planned.part.next, Cursor::End(kTo));
}

TEST_F(ChunkPlanTest, AnArticleIsAddedToEveryHashOfItsWindows) {
  const Shard shard{7};
  const std::string id = IdIn("alpha", shard);
  Add("alpha", id, 10, 2);
  Add("alpha", id, 11, 3);
  Add("alpha", id, 30, 4);
  Add("alpha", id, 30, 5, true);
  ChunkPlan plan = Plan();
  const PlannedPart planned = plan.NextPart(shard, Cursor::End(kFrom), kLane);
  std::map<Window, int64_t> added;
  for (const HashDelta& hash : planned.part.hashes) {
    EXPECT_EQ(hash.site, "alpha");
    ASSERT_EQ(hash.deltas.size(), 1u);
    EXPECT_EQ(hash.deltas[0].article_id, id);
    EXPECT_TRUE(added.emplace(hash.window, hash.deltas[0].views).second);
  }
  const std::map<Window, int64_t> expected = {{{Window::Kind::kAllTime, 0}, 9},    {{Window::Kind::kDay, 20260101}, 5},
                                              {{Window::Kind::kDay, 20260102}, 4}, {{Window::Kind::kHour, 10}, 2},
                                              {{Window::Kind::kHour, 11}, 3},      {{Window::Kind::kHour, 30}, 4},
                                              {{Window::Kind::kBots, 0}, 5}};
  EXPECT_EQ(added, expected);
  EXPECT_EQ(planned.views, 14u);
}

TEST_F(ChunkPlanTest, APartHasAtMost512Articles) {
  const Shard shard{3};
  for (size_t i = 0; i < 2 * limits::kFlushPartArticlesMax + 1; ++i) Add("alpha", IdIn("alpha", shard));
  ChunkPlan plan = Plan();
  const auto parts = Walk(plan, shard, Cursor::End(kFrom));
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].articles.size(), limits::kFlushPartArticlesMax);
  EXPECT_EQ(parts[1].articles.size(), limits::kFlushPartArticlesMax);
  EXPECT_EQ(parts[2].articles.size(), 1u);
  for (size_t i = 0; i < 2; ++i) {
    const Cursor& next = parts[i].part.next;
    ASSERT_TRUE(next.in_middle());
    EXPECT_EQ(next.from(), kFrom);
    EXPECT_EQ(next.to(), kTo);
    EXPECT_EQ(std::string(next.last().site) + "/" + std::string(next.last().article_id),
              KeysOf(plan, parts[i].articles).back());
  }
}

TEST_F(ChunkPlanTest, APartWritesAtMost2048Fields) {
  const Shard shard{3};
  for (int i = 0; i < 300; ++i) {
    const std::string id = IdIn("alpha", shard);
    for (uint32_t hour = 0; hour < 20; ++hour) Add("alpha", id, hour * 24);
  }
  ChunkPlan plan = Plan();
  const auto parts = Walk(plan, shard, Cursor::End(kFrom));
  size_t articles = 0;
  for (const PlannedPart& planned : parts) {
    EXPECT_LE(FieldsOf(planned.part), limits::kFlushPartFieldsMax);
    articles += planned.articles.size();
  }
  EXPECT_EQ(articles, 300u);
  EXPECT_LE(parts.size(), 10u);
}

TEST_F(ChunkPlanTest, AnArticleWithMoreFieldsThanAPartMayHaveGoesAlone) {
  const Shard shard{3};
  std::vector<std::string> ids = {IdIn("alpha", shard, "a"), IdIn("alpha", shard, "b"), IdIn("alpha", shard, "c")};
  for (const std::string& id : ids) Add("alpha", id);
  for (uint32_t hour = 0; hour <= limits::kFlushPartFieldsMax; ++hour) Add("alpha", ids[1], hour);
  ChunkPlan plan = Plan();
  const auto parts = Walk(plan, shard, Cursor::End(kFrom));
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_THAT(KeysOf(plan, parts[1].articles), ElementsAre("alpha/" + ids[1]));
}

// The empty part moves the shard's cursor together with those of the other shards.
TEST_F(ChunkPlanTest, AShardWithoutArticlesIsSentAnEmptyPart) {
  Add("alpha", IdIn("alpha", Shard{3}));
  ChunkPlan plan = Plan();
  EXPECT_EQ(plan.shards(), ShardSet::All());
  const auto parts = Walk(plan, Shard{4}, Cursor::End(kFrom));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_THAT(parts[0].part.hashes, IsEmpty());
  EXPECT_EQ(parts[0].part.next, Cursor::End(kTo));
  EXPECT_EQ(parts[0].views, 0u);
}

TEST_F(ChunkPlanTest, APlanIsForTheShardsOfItsChunk) {
  const Shard shard{3};
  Add("alpha", IdIn("alpha", shard));
  Add("alpha", IdIn("alpha", Shard{4}));
  ChunkPlan plan = Plan(ShardSet::Of(shard));
  EXPECT_EQ(plan.shards(), ShardSet::Of(shard));
  EXPECT_FALSE(plan.IsFinished(shard, Cursor::End(kFrom)));
  EXPECT_TRUE(plan.IsFinished(Shard{4}, Cursor::End(kFrom)));
  EXPECT_TRUE(plan.Leads(shard, Cursor::End(kFrom), Cursor::End(kTo)));
  EXPECT_FALSE(plan.Leads(Shard{4}, Cursor::End(kFrom), Cursor::End(kTo)));
}

TEST_F(ChunkPlanTest, AShardIsFinishedAtTheChunksEnd) {
  const Shard shard{3};
  Add("alpha", IdIn("alpha", shard));
  ChunkPlan plan = Plan();
  EXPECT_FALSE(plan.IsFinished(shard, Cursor::End(kFrom)));
  EXPECT_FALSE(plan.IsFinished(shard, Cursor::Middle(kFrom, kTo, {"alpha", "a"}, kTo)));
  EXPECT_TRUE(plan.IsFinished(shard, Cursor::End(kTo)));
}

TEST_F(ChunkPlanTest, OnlyPartsOfThisChunkLead) {
  const Shard shard{3};
  ChunkPlan plan = Plan();
  const Cursor begin = Cursor::End(kFrom);
  const Cursor middle = Cursor::Middle(kFrom, kTo, {"alpha", "a"}, kTo);
  EXPECT_TRUE(plan.Leads(shard, begin, middle));
  EXPECT_TRUE(plan.Leads(shard, middle, Cursor::End(kTo)));
  EXPECT_FALSE(plan.Leads(shard, Cursor(), middle));
  EXPECT_FALSE(plan.Leads(shard, begin, Cursor::End(Position{kTo.value + 1})));
  EXPECT_FALSE(plan.Leads(shard, begin, Cursor::Middle(kFrom, Position{150}, {"alpha", "a"}, kTo)));
}

// A chunk is resumed at any cursor. The remaining parts are always the same, and the articles between two cursors are
// exactly those of the parts between them.
TEST_F(ChunkPlanTest, RandomChunksAreCutTheSameWheneverAsked) {
  std::mt19937_64 random(TestSeed());
  std::map<Shard, std::map<std::string, uint64_t>> expected;
  for (int i = 0; i < 60'000; ++i) {
    const std::string site = random() % 3 == 0 ? "zeta" : "alpha";
    const std::string id = "story " + std::to_string(random() % 9'000);
    const auto of = sites_.Find(site);
    const Shard shard = ShardOf(ArticleHash(of->seed, id));
    if (shard.value >= 6) continue;
    const uint64_t count = 1 + random() % 5;
    Add(site, id, static_cast<uint32_t>(random() % 4), count, random() % 5 == 0);
    expected[shard][site + "/" + id] += count;
  }
  ChunkPlan plan = Plan();
  for (const auto& [shard, views_by_key] : expected) {
    const auto parts = Walk(plan, shard, Cursor::End(kFrom));
    std::vector<Cursor> cursors = {Cursor::End(kFrom)};
    std::vector<std::string> keys;
    std::vector<size_t> ends = {0};
    uint64_t views = 0;
    for (const PlannedPart& planned : parts) {
      for (const std::string& key : KeysOf(plan, planned.articles)) keys.push_back(key);
      ends.push_back(keys.size());
      cursors.push_back(planned.part.next);
      views += planned.views;
    }
    uint64_t expected_views = 0;
    std::vector<std::string> expected_keys;
    for (const auto& [key, count] : views_by_key) expected_keys.push_back(key), expected_views += count;
    EXPECT_EQ(keys, expected_keys);
    EXPECT_EQ(views, expected_views);
    for (size_t i = 0; i < cursors.size(); ++i) {
      const auto resumed = Walk(plan, shard, cursors[i]);
      ASSERT_EQ(resumed.size(), parts.size() - i);
      for (size_t k = 0; k < resumed.size(); ++k) EXPECT_EQ(resumed[k].part.next, parts[i + k].part.next);
      for (size_t j = i; j < cursors.size(); ++j) {
        const std::vector<std::string> between(keys.begin() + ends[i], keys.begin() + ends[j]);
        EXPECT_EQ(KeysOf(plan, plan.Between(shard, cursors[i], cursors[j])), between);
      }
    }
    EXPECT_THAT(KeysOf(plan, plan.Between(shard, Cursor(), Cursor::End(kFrom))), IsEmpty());
  }
}

TEST_F(ChunkPlanTest, HoursAndDaysThatAreNotKeptAreLeftOut) {
  ASSERT_TRUE(sites_.Put(*MakeSite("alpha", {.hours_kept_days = 10, .days_kept_days = 62})).ok());
  const int64_t now_ms = absl::ToUnixMillis(absl::FromCivil(absl::CivilHour(2026, 4, 1, 5), absl::UTCTimeZone()));
  const auto now = static_cast<uint32_t>(now_ms / 3'600'000);
  const auto of = sites_.Find("alpha");
  const std::string id = IdIn("alpha", Shard{5});
  struct Added {
    uint32_t hour;
    uint32_t day;
  };
  const std::vector<Added> added = {{now, 20'260'401},
                                    {now - 239, 20'260'322},
                                    {now - 240, 20'260'322},
                                    {now - 61 * 24, 20'260'130},
                                    {now - 62 * 24, 20'260'129}};
  for (const auto& [hour, day] : added) {
    const uint32_t bucket = chunk_->BucketIndex({of->index, hour, day});
    chunk_->Add(of->index, ArticleHash(of->seed, id), id, bucket, 1, false);
    chunk_->NoteSiteViewer(bucket, 0, 100 + day, false);
  }
  const uint64_t hash = ArticleHash(of->seed, id);
  chunk_->Adjust(of->index, hash, id, {Window::Kind::kHour, now - 240}, -1);
  chunk_->Adjust(of->index, hash, id, {Window::Kind::kDay, 20'260'129}, -1);
  chunk_->Adjust(of->index, hash, id, {Window::Kind::kDay, 20'260'130}, -1);
  chunk_->Extend(kTo, SteadyTime());
  ChunkPlan plan({chunk_, ShardSet::All()}, sites_, {.now_unix_ms = now_ms});
  std::map<Window, int64_t> sums;
  std::map<Window, int64_t> adjusted;
  for (const PlannedPart& planned : Walk(plan, Shard{5}, Cursor::End(kFrom))) {
    for (const HashDelta& delta : planned.part.hashes) {
      for (const ArticleDelta& one : delta.deltas) (delta.adjustment ? adjusted : sums)[delta.window] += one.views;
      // An hour is kept for an hour more than is promised.
      EXPECT_EQ(delta.kept, std::chrono::hours(241));
    }
  }
  const std::map<Window, int64_t> expected = {
      {{Window::Kind::kAllTime, 0}, 5},      {{Window::Kind::kDay, 20'260'401}, 1},
      {{Window::Kind::kDay, 20'260'322}, 2}, {{Window::Kind::kDay, 20'260'130}, 1},
      {{Window::Kind::kHour, now}, 1},       {{Window::Kind::kHour, now - 239}, 1}};
  EXPECT_EQ(sums, expected);
  EXPECT_EQ(adjusted, (std::map<Window, int64_t>{{{Window::Kind::kDay, 20'260'130}, -1}}));
  std::set<uint32_t> days_of_viewers;
  const Shard home = ShardOf(ArticleHash(of->seed, ""));
  for (const PlannedPart& planned : Walk(plan, home, Cursor::End(kFrom))) {
    for (const ViewerSet& set : planned.part.viewers) {
      if (set.name.kind == ViewerSetName::Kind::kDay) days_of_viewers.insert(set.name.number);
    }
  }
  EXPECT_THAT(days_of_viewers, ElementsAre(20'260'130, 20'260'322, 20'260'401));
}

}  // namespace
}  // namespace viewcount
