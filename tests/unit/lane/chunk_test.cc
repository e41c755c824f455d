// Compares a chunk with the simplest possible counter.
#include "service/lane/chunk.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>

#include "service/base/hash.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"

namespace viewcount {
namespace {

constexpr SiteIndex kSite{0};

uint64_t ViewsOf(const Chunk& chunk, SiteIndex site, const std::string& id, Window window, uint64_t hash) {
  const Chunk::Article* article = chunk.Find(site, hash, id);
  return article == nullptr ? 0 : chunk.ViewsOf(*article, window);
}

TEST(Chunk, IsEmptyUntilExtended) {
  Chunk chunk(Position{5});
  EXPECT_TRUE(chunk.empty());
  EXPECT_EQ(chunk.Find(kSite, 1, "a"), nullptr);
  EXPECT_EQ(chunk.oldest(), SteadyTime::max());
  const SteadyTime first = SteadyTime() + std::chrono::seconds(7);
  chunk.Extend(Position{6}, first);
  chunk.Extend(Position{9}, first + std::chrono::seconds(1));
  EXPECT_FALSE(chunk.empty());
  EXPECT_EQ(chunk.from(), Position{5});
  EXPECT_EQ(chunk.to(), Position{9});
  EXPECT_EQ(chunk.oldest(), first);
}

TEST(Chunk, BotsAreCountedApart) {
  Chunk chunk(Position{0});
  const uint32_t bucket = chunk.BucketIndex({kSite, 100, 20261122});
  chunk.Add(kSite, 1, "a", bucket, 3, false);
  chunk.Add(kSite, 1, "a", bucket, 40, true);
  EXPECT_EQ(ViewsOf(chunk, kSite, "a", kAll, 1), 3u);
  EXPECT_EQ(ViewsOf(chunk, kSite, "a", {Window::Kind::kDay, 20261122}, 1), 3u);
  EXPECT_EQ(ViewsOf(chunk, kSite, "a", {Window::Kind::kHour, 100}, 1), 3u);
  EXPECT_EQ(ViewsOf(chunk, kSite, "a", kBots, 1), 40u);
  EXPECT_EQ(chunk.views(), 43u);
}

TEST(Chunk, BucketsAreFoundAgain) {
  Chunk chunk(Position{0});
  const Chunk::Bucket a{kSite, 100, 20261122};
  const Chunk::Bucket b{kSite, 100, 20261123};
  const Chunk::Bucket c{SiteIndex{1}, 100, 20261122};
  const uint32_t index = chunk.BucketIndex(a);
  EXPECT_NE(chunk.BucketIndex(b), index);
  EXPECT_NE(chunk.BucketIndex(c), index);
  EXPECT_NE(chunk.BucketIndex(c), chunk.BucketIndex(b));
  EXPECT_EQ(chunk.BucketIndex(a), index);
  EXPECT_EQ(chunk.bucket(index), a);
}

// Hashes may be equal in part or as a whole. The ID distinguishes the articles.
TEST(Chunk, CollidingHashesAreDifferentArticles) {
  Chunk chunk(Position{0});
  const uint32_t bucket = chunk.BucketIndex({kSite, 1, 19700101});
  for (int i = 0; i < 100; ++i) chunk.Add(kSite, 42, "same" + std::to_string(i), bucket, i + 1, false);
  for (uint64_t i = 0; i < 100; ++i) chunk.Add(kSite, (i << 40) + 7, "low" + std::to_string(i), bucket, i + 1, false);
  chunk.Add(SiteIndex{1}, 42, "same7", bucket, 500, false);
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(ViewsOf(chunk, kSite, "same" + std::to_string(i), kAll, 42), i + 1);
    EXPECT_EQ(ViewsOf(chunk, kSite, "low" + std::to_string(i), kAll, (i << 40) + 7), i + 1);
  }
  EXPECT_EQ(ViewsOf(chunk, SiteIndex{1}, "same7", kAll, 42), 500u);
  EXPECT_EQ(chunk.articles().size(), 201u);
}

TEST(Chunk, OwnsTheIdsItHolds) {
  Chunk chunk(Position{0});
  const uint32_t bucket = chunk.BucketIndex({kSite, 1, 19700101});
  std::string id(limits::kArticleIdBytesMax, 'i');
  for (int i = 0; i < 1'000; ++i) {
    id.replace(0, 4, std::to_string(1'000 + i));
    chunk.Add(kSite, Hash64(id), id, bucket, 1, false);
  }
  for (int i = 0; i < 1'000; ++i) {
    id.replace(0, 4, std::to_string(1'000 + i));
    const Chunk::Article* article = chunk.Find(kSite, Hash64(id), id);
    ASSERT_NE(article, nullptr) << i;
    EXPECT_NE(article->id.data(), id.data());
  }
  EXPECT_GE(chunk.bytes(), 1'000 * limits::kArticleIdBytesMax);
}

TEST(Chunk, EqualsAMapOfCounts) {
  std::mt19937_64 random(TestSeed());
  using Key = std::tuple<uint32_t, std::string, Window>;
  std::map<Key, uint64_t> model;
  std::map<std::pair<uint32_t, std::string>, bool> articles;
  Chunk chunk(Position{0});
  uint64_t all = 0;
  for (int i = 0; i < 120'000; ++i) {
    const SiteIndex site{static_cast<uint32_t>(random() % 2)};
    const std::string id = "story/" + std::to_string(random() % 30'000);
    const auto hour = static_cast<uint32_t>(random() % 5);
    // Half of hour 2 belongs to one day and half to the next.
    const uint32_t day = 20261122 + (hour > 2 || (hour == 2 && random() % 2 == 0) ? 1 : 0);
    const uint64_t count = 1 + random() % 1'000'000;
    const bool bot = random() % 4 == 0;
    chunk.Add(site, ArticleHash(site.value, id), id, chunk.BucketIndex({site, hour, day}), count, bot);
    articles[{site.value, id}] = true;
    all += count;
    if (bot) {
      model[{site.value, id, kBots}] += count;
      continue;
    }
    model[{site.value, id, kAll}] += count;
    model[{site.value, id, {Window::Kind::kDay, day}}] += count;
    model[{site.value, id, {Window::Kind::kHour, hour}}] += count;
  }
  EXPECT_EQ(chunk.views(), all);
  EXPECT_EQ(chunk.articles().size(), articles.size());
  std::vector<Window> windows = {kAll, kBots};
  for (uint32_t hour = 0; hour < 6; ++hour) windows.push_back({Window::Kind::kHour, hour});
  for (uint32_t day = 20261121; day < 20261125; ++day) windows.push_back({Window::Kind::kDay, day});
  for (const auto& [article, present] : articles) {
    const auto& [site, id] = article;
    for (const Window window : windows) {
      const auto expected = model.find({site, id, window});
      ASSERT_EQ(ViewsOf(chunk, SiteIndex{site}, id, window, ArticleHash(site, id)),
                expected == model.end() ? 0 : expected->second)
          << id;
    }
  }
  EXPECT_EQ(chunk.Find(kSite, ArticleHash(0, "unknown"), "unknown"), nullptr);
}

}  // namespace
}  // namespace viewcount
