#include "bench/articles.h"

#include <gtest/gtest.h>

#include <set>

namespace viewcount {
namespace {

TEST(Articles, RanksFollowZipf) {
  constexpr size_t kArticles = 1'000;
  constexpr size_t kDraws = 1'000'000;
  const ZipfDistribution zipf(kArticles);
  std::mt19937_64 random(3);
  std::vector<double> drawn(kArticles + 1);
  for (size_t i = 0; i < kDraws; ++i) ++drawn.at(zipf(random));
  double sum = 0;
  for (size_t rank = 1; rank <= kArticles; ++rank) sum += 1.0 / static_cast<double>(rank);
  EXPECT_EQ(drawn[0], 0);
  for (const size_t rank : {1, 2, 3, 10, 100, 1'000}) {
    const double expected = kDraws / sum / static_cast<double>(rank);
    // The tolerance is six standard deviations.
    EXPECT_NEAR(drawn[rank], expected, 6 * std::sqrt(expected)) << rank;
  }
}

TEST(Articles, TenMillionAreDrawnToTheLast) {
  constexpr size_t kArticles = 10'000'000;
  const ZipfDistribution zipf(kArticles);
  std::mt19937_64 random(4);
  size_t highest = 0;
  for (int i = 0; i < 1'000'000; ++i) highest = std::max(highest, zipf(random));
  EXPECT_LE(highest, kArticles);
  EXPECT_GT(highest, kArticles - 100'000);
}

TEST(Articles, OneArticleIsAlwaysDrawn) {
  const ZipfDistribution zipf(1);
  std::mt19937_64 random(5);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(zipf(random), 1U);
  EXPECT_EQ(RankedArticles(1).Index(1), 0U);
}

TEST(Articles, EveryRankHasItsOwnArticle) {
  for (const size_t count : {2, 3, 1'000, 65'536, 99'991}) {
    const RankedArticles ranked(count);
    std::set<uint32_t> seen;
    for (size_t rank = 1; rank <= count; ++rank) seen.insert(ranked.Index(rank));
    EXPECT_EQ(seen.size(), count);
    EXPECT_LT(*seen.rbegin(), count);
  }
}

}  // namespace
}  // namespace viewcount
