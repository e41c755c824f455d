#include "service/base/identifiers.h"

#include <gtest/gtest.h>

#include <set>

#include "service/base/hash.h"

namespace viewcount {
namespace {

TEST(Identifiers, HexRoundTrips) {
  for (int i = 0; i < 100; ++i) {
    const auto id = RandomId<LaneId>();
    EXPECT_EQ(IdFromHex<LaneId>(ToHex(id)), id);
  }
}

TEST(Identifiers, HexOfWrongLengthOrDigitsIsRefused) {
  EXPECT_FALSE(IdFromHex<LaneId>(""));
  EXPECT_FALSE(IdFromHex<LaneId>(std::string(31, 'a')));
  EXPECT_FALSE(IdFromHex<LaneId>(std::string(33, 'a')));
  EXPECT_FALSE(IdFromHex<LaneId>(std::string(31, 'a') + "g"));
}

TEST(Identifiers, RandomIdsDiffer) {
  std::set<WriterId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomId<WriterId>());
  EXPECT_EQ(ids.size(), 1000u);
}

// The hash values are part of the store's format. If one of them ever changes, readers no longer find the stored data.
TEST(Hash, ShardsOfKnownArticlesNeverChange) {
  const uint64_t seed = Hash64("demo");
  EXPECT_EQ(seed, 573979926299239216ULL);
  EXPECT_EQ(ShardOf(ArticleHash(seed, "/")).value, 3);
  EXPECT_EQ(ShardOf(ArticleHash(seed, "news/1")).value, 32);
}

TEST(Hash, ArticlesSpreadOverAllShards) {
  std::array<int, limits::kShards> counts{};
  const uint64_t seed = Hash64("demo");
  for (int i = 0; i < 64'000; ++i) ++counts[ShardOf(ArticleHash(seed, std::to_string(i))).value];
  for (int count : counts) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
}

}  // namespace
}  // namespace viewcount
