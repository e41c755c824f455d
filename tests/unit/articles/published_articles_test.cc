#include "service/articles/published_articles.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/articles/article_limits.h"
#include "service/base/store_thread.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PublishedArticlesTest : public ::testing::Test {
 protected:
  PublishedArticlesTest() { EXPECT_TRUE(sites_.Put(*MakeSite("demo", {})).ok()); }
  ~PublishedArticlesTest() override { thread_.Drain(std::chrono::seconds(5)); }

  int64_t now() const { return clock_.UnixMillis(); }
  v1::Article& Add(const std::string& id, int64_t unix_ms, const std::string& section = "") {
    request_.set_site("demo");
    v1::Article& article = *request_.add_articles();
    article.set_article_id(id);
    article.set_section(section);
    *article.mutable_publish_time() = TimeUtil::MillisecondsToTimestamp(unix_ms);
    return article;
  }
  void Put() {
    ASSERT_TRUE(thread_.Spawn(catalog_.Put(request_)).get().ok());
    request_.Clear();
  }
  PublishedArticles::Answer Ask(PublishedArticles::Question question) {
    const auto answer = thread_.Spawn(published_.Read(sites_.Find("demo"), std::move(question))).get();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return *answer;
  }
  std::vector<std::string> Ids(PublishedArticles::Question question) {
    std::vector<std::string> ids;
    for (const PublishedArticle& article : Ask(std::move(question)).articles) ids.push_back(article.article_id);
    return ids;
  }

  StoreThread thread_;
  ManualClock clock_;
  MemoryStore store_{{}};
  SiteDirectory sites_;
  ArticleCatalog catalog_{sites_, store_, clock_};
  PublishedArticles published_{catalog_, clock_};
  v1::PutArticlesRequest request_;
};

TEST_F(PublishedArticlesTest, NeighboursAreNearestFirstAndOrderedByIdAtTheSameTime) {
  const int64_t t = now() - 1'000;
  for (const char* id : {"c", "a", "b", "d"}) Add(id, t);
  Add("newer", t + 1);
  Add("older", t - 1);
  Put();
  EXPECT_THAT(Ids({.middle = Publication{t, "b"}, .newer = true, .section = "", .articles_max = 9}),
              ElementsAre("c", "d", "newer"));
  EXPECT_THAT(Ids({.middle = Publication{t, "b"}, .newer = false, .section = "", .articles_max = 9}),
              ElementsAre("a", "older"));
  EXPECT_THAT(Ids({.middle = Publication{t, ""}, .newer = true, .section = "", .articles_max = 9}),
              ElementsAre("newer"));
  EXPECT_THAT(Ids({.middle = Publication{t, ""}, .newer = false, .section = "", .articles_max = 2}),
              ElementsAre("d", "c"));
}

TEST_F(PublishedArticlesTest, ArticlesOfTheFutureAreNotPublishedYet) {
  Add("past", now() - 1);
  Add("future", now() + 5'000);
  Put();
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("past"));
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = true, .section = "", .articles_max = 9}), IsEmpty());
  EXPECT_THAT(Ids({.middle = Publication{now() + 10'000, ""}, .newer = false, .section = "", .articles_max = 9}),
              ElementsAre("past"));
  EXPECT_THAT(Ids({.middle = Publication{now() - 1, "past"}, .newer = true, .section = "", .articles_max = 9}),
              IsEmpty());
  clock_.Advance(std::chrono::seconds(6));
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}),
              ElementsAre("future", "past"));
}

TEST_F(PublishedArticlesTest, HiddenArticlesAndAliasesAreLeftOut) {
  Add("shown", now() - 3);
  Add("hidden", now() - 2).set_hidden_from_lists(true);
  Add("alias", now() - 1);
  Put();
  Site site = *MakeSite("demo", {});
  site.SetAliases({{"alias", {"shown", 1}}});
  ASSERT_TRUE(sites_.Put(std::move(site)).ok());
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("shown"));
}

TEST_F(PublishedArticlesTest, ALaterAnnouncementReplacesTheTime) {
  Add("a", now() - 10);
  Add("b", now() - 20);
  Put();
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("a", "b"));
  Add("a", now() - 30);
  Put();
  // This process announced it, so the answer is not an older one.
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("b", "a"));
  Add("b", 0).clear_publish_time();
  Put();
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("a"));
}

TEST_F(PublishedArticlesTest, RareSectionsAreFoundUpToALimit) {
  const int64_t t = now() - 1'000'000;
  // Counted from the newest one.
  const auto is_rare = [](size_t age) { return age == 100 || age == 1'500 || age == kPublicationsMax + 900; };
  const size_t count = kPublicationsMax + 1'000;
  for (size_t i = 0; i < count; ++i) {
    // Hundreds have the same time, as in a sitemap with days only. IDs of equal length are ordered as numbers.
    Add(std::to_string(10'000 + i), t + static_cast<int64_t>(i / 700), is_rare(count - 1 - i) ? "rare" : "other");
    if (request_.articles_size() == 1'000) Put();
  }
  const auto id_of = [&](size_t age) { return std::to_string(10'000 + count - 1 - age); };
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "rare", .articles_max = 2}),
              ElementsAre(id_of(100), id_of(1'500)));
  const auto more = Ask({.middle = std::nullopt, .newer = false, .section = "rare", .articles_max = 3});
  EXPECT_THAT(more.articles, SizeIs(2));
  EXPECT_FALSE(more.complete);
  EXPECT_THAT(Ids({.middle = Publication{t, id_of(count - 1)}, .newer = true, .section = "rare", .articles_max = 2}),
              ElementsAre(id_of(kPublicationsMax + 900), id_of(1'500)));
}

TEST_F(PublishedArticlesTest, AnnouncementsOfOtherInstancesAppear) {
  ArticleCatalog elsewhere(sites_, store_, clock_);
  Add("a", now() - 10);
  Put();
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("a"));
  Add("a", now() - 30);
  Add("b", now() - 20);
  ASSERT_TRUE(thread_.Spawn(elsewhere.Put(request_)).get().ok());
  clock_.Advance(std::chrono::milliseconds(5'001));
  EXPECT_THAT(Ids({.middle = std::nullopt, .newer = false, .section = "", .articles_max = 9}), ElementsAre("b", "a"));
}

}  // namespace
}  // namespace viewcount
