#include "service/articles/article_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/store_thread.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ArticleCatalogTest : public ::testing::Test {
 protected:
  ArticleCatalogTest() { EXPECT_TRUE(sites_.Put(*MakeSite("demo", {})).ok()); }
  ~ArticleCatalogTest() override { thread_.Drain(std::chrono::seconds(5)); }

  static v1::PutArticlesRequest Of(const std::vector<std::string>& ids) {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    for (const std::string& id : ids) request.add_articles()->set_article_id(id);
    return request;
  }
  absl::Status Put(const v1::PutArticlesRequest& request) { return thread_.Spawn(catalog_.Put(request)).get(); }
  std::set<std::string_view> Announced(const std::vector<std::string_view>& ids) {
    return *thread_.Spawn(catalog_.FindAnnounced(sites_.Find("demo"), ids)).get();
  }

  StoreThread thread_;
  MemoryStore store_{{}};
  SiteDirectory sites_;
  ArticleCatalog catalog_{sites_, store_};
};

TEST_F(ArticleCatalogTest, WhatIsPutIsAnnounced) {
  EXPECT_THAT(Announced({"a", "b"}), IsEmpty());
  ASSERT_TRUE(Put(Of({"a", "b", "a"})).ok());
  EXPECT_THAT(Announced({"a", "c", "b"}), UnorderedElementsAre("a", "b"));
}

TEST_F(ArticleCatalogTest, OfTwoTheLaterStays) {
  auto request = Of({"a", "a"});
  request.mutable_articles(0)->set_title("early");
  request.mutable_articles(1)->set_title("late");
  request.mutable_articles(1)->set_section("weather");
  request.mutable_articles(1)->mutable_publish_time()->set_seconds(1'795'000'000);
  ASSERT_TRUE(Put(request).ok());
  const Shard shard = ShardOf(ArticleHash(sites_.Find("demo")->seed, "a"));
  const std::vector<std::string_view> ids = {"a"};
  const auto texts = *thread_.Spawn(store_.ReadArticles(shard, "demo", ids)).get();
  v1::Article article;
  ASSERT_TRUE(article.ParseFromString(texts.at(0).value()));
  EXPECT_EQ(article.title(), "late");
  EXPECT_EQ(article.section(), "weather");
  EXPECT_EQ(article.publish_time().seconds(), 1'795'000'000);
  EXPECT_EQ(article.article_id(), "");
}

TEST_F(ArticleCatalogTest, AnAliasIsAnnouncedAsTheArticleItIsCountedFor) {
  Site site = *MakeSite("demo", {});
  site.SetAliases({{"old", {"new", 1}}});
  ASSERT_TRUE(sites_.Put(std::move(site)).ok());
  ASSERT_TRUE(Put(Of({"old"})).ok());
  EXPECT_THAT(Announced({"new", "old"}), UnorderedElementsAre("new"));
}

TEST_F(ArticleCatalogTest, ABadOneIsNamedAndNothingIsAnnounced) {
  const auto field_of = [this](const v1::PutArticlesRequest& request) { return FieldOf(Put(request)); };
  EXPECT_EQ(field_of(Of({})), "articles");
  EXPECT_EQ(field_of(Of(std::vector<std::string>(limits::kPutArticlesMax + 1, "a"))), "articles");
  EXPECT_EQ(field_of(Of({"a", ""})), "articles[1].article_id");
  EXPECT_EQ(field_of(Of({"a", "b\n"})), "articles[1].article_id");
  auto request = Of({"a", "b"});
  request.mutable_articles(1)->set_title(std::string(limits::kArticleTitleBytesMax + 1, 'x'));
  EXPECT_EQ(field_of(request), "articles[1].title");
  request = Of({"a"});
  request.mutable_articles(0)->set_url(std::string(limits::kArticleUrlBytesMax + 1, 'x'));
  EXPECT_EQ(field_of(request), "articles[0].url");
  request = Of({"a"});
  request.mutable_articles(0)->set_section(std::string(limits::kArticleSectionBytesMax + 1, 'x'));
  EXPECT_EQ(field_of(request), "articles[0].section");
  request = Of({"a"});
  request.set_site("other");
  EXPECT_TRUE(absl::IsNotFound(Put(request)));
  EXPECT_THAT(Announced({"a", "b"}), IsEmpty());
}

}  // namespace
}  // namespace viewcount
