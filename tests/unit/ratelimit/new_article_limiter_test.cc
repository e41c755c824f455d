#include "service/ratelimit/new_article_limiter.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

using std::chrono::seconds;

constexpr uint32_t kPerMinute = 6;
constexpr uint32_t kBurst = kPerMinute * 60;
constexpr SteadyTime kBegin{seconds(100'000)};

Site SiteOf(const std::string& name, uint32_t index, bool announced_only = false) {
  Site site = *MakeSite(name, {.announced_articles_only = announced_only});
  site.index = {index};
  return site;
}

uint32_t ArticlesTakenOf(NewArticleLimiter& budget, const Site& site, uint32_t tries, SteadyTime now) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < tries; ++i) taken += budget.Take(site, now) ? 1 : 0;
  return taken;
}

TEST(NewArticleLimiterTest, AnHoursWorthMayComeAtOnceAndThenAtTheRate) {
  NewArticleLimiter budget(kPerMinute);
  const Site site = SiteOf("demo", 0);
  EXPECT_EQ(ArticlesTakenOf(budget, site, 10'000, kBegin), kBurst);
  EXPECT_EQ(ArticlesTakenOf(budget, site, 10'000, kBegin + seconds(9)), 0u);
  EXPECT_EQ(ArticlesTakenOf(budget, site, 10'000, kBegin + seconds(10)), 1u);
  EXPECT_EQ(ArticlesTakenOf(budget, site, 10'000, kBegin + seconds(10'000)), kBurst);
}

TEST(NewArticleLimiterTest, SitesAreToldApart) {
  NewArticleLimiter budget(kPerMinute);
  const Site site = SiteOf("demo", 0);
  const Site other = SiteOf("other", 1);
  EXPECT_EQ(ArticlesTakenOf(budget, site, 10'000, kBegin), kBurst);
  EXPECT_EQ(ArticlesTakenOf(budget, other, 10'000, kBegin), kBurst);
  budget.Learn(site, "a");
  EXPECT_TRUE(budget.LookUp(site, "a"));
  EXPECT_FALSE(budget.LookUp(site, "b"));
  EXPECT_FALSE(budget.LookUp(other, "a"));
}

TEST(NewArticleLimiterTest, WhoIsAskedForStaysKnown) {
  constexpr size_t kKnownMax = 1'024;
  NewArticleLimiter budget(kPerMinute, kKnownMax);
  const Site site = SiteOf("demo", 0);
  budget.Learn(site, "popular");
  for (int i = 0; i < 100'000; ++i) {
    budget.Learn(site, std::to_string(i));
    ASSERT_TRUE(budget.LookUp(site, "popular"));
  }
  size_t known = 0;
  for (int i = 0; i < 100'000; ++i) known += budget.LookUp(site, std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(known, kKnownMax - 1) << "and no more than it may";
}

TEST(NewArticleLimiterTest, NoneIsNoLimit) {
  NewArticleLimiter budget(0);
  const Site site = SiteOf("demo", 0);
  EXPECT_TRUE(budget.LookUp(site, "a"));
  EXPECT_EQ(ArticlesTakenOf(budget, site, 100'000, kBegin), 100'000u);
  EXPECT_FALSE(budget.LookUp(SiteOf("strict", 1, true), "a")) << "whether it is announced is another question";
}

TEST(NewArticleLimiterTest, WhatWasCountedIsNotAnnouncedForThat) {
  NewArticleLimiter budget(kPerMinute);
  budget.Learn(SiteOf("demo", 0), "a");
  EXPECT_FALSE(budget.LookUp(SiteOf("demo", 0, true), "a"));
}

}  // namespace
}  // namespace viewcount
