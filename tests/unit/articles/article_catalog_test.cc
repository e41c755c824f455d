#include "service/articles/article_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/store_thread.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
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
  ManualClock clock_;
  MemoryStore store_{{}};
  SiteDirectory sites_;
  ArticleCatalog catalog_{sites_, store_, clock_};
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

TEST_F(ArticleCatalogTest, DetailsAreRememberedForAWhileAndForgottenWhenTheyChange) {
  const auto site = sites_.Find("demo");
  const std::vector<std::string_view> ids = {"a", "b"};
  const auto titles = [&] {
    std::vector<std::string> all;
    const auto read = thread_.Spawn(catalog_.ReadDetails(site, ids)).get();
    EXPECT_TRUE(read.complete);
    for (const ArticleDetails& details : read.articles) all.push_back(details == nullptr ? "-" : details->title());
    return all;
  };
  const auto put = [&](const std::string& title) {
    auto request = Of({"a"});
    request.mutable_articles(0)->set_title(title);
    request.mutable_articles(0)->set_section("news");
    EXPECT_TRUE(Put(request).ok());
  };
  EXPECT_FALSE(catalog_.FindDetails(*site, ids));
  EXPECT_THAT(titles(), ElementsAre("-", "-"));
  ASSERT_TRUE(catalog_.FindDetails(*site, ids));
  put("first");
  EXPECT_FALSE(catalog_.FindDetails(*site, ids));
  EXPECT_THAT(titles(), ElementsAre("first", "-"));
  EXPECT_THAT((*catalog_.FindDetails(*site, ids))[0]->sections(), ElementsAre("news"));
  // Another instance announces something.
  ArticleCatalog other(sites_, store_, clock_);
  auto request = Of({"b"});
  request.mutable_articles(0)->set_title("second");
  request.mutable_articles(0)->add_sections("sport");
  EXPECT_TRUE(thread_.Spawn(other.Put(request)).get().ok());
  EXPECT_THAT(titles(), ElementsAre("first", "-"));
  clock_.Advance(limits::kArticleDetailsAge + std::chrono::milliseconds(1));
  EXPECT_FALSE(catalog_.FindDetails(*site, ids));
  EXPECT_THAT(titles(), ElementsAre("first", "second"));
  EXPECT_EQ((*catalog_.FindDetails(*site, ids))[1]->section(), "sport");
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
  request.mutable_articles(0)->set_section(std::string(limits::kArticleLabelBytesMax + 1, 'x'));
  EXPECT_EQ(field_of(request), "articles[0].section");
  request = Of({"a"});
  request.mutable_articles(0)->add_authors("");
  EXPECT_EQ(field_of(request), "articles[0].authors");
  request = Of({"a"});
  for (size_t i = 0; i <= limits::kArticleLabelsMax; ++i) request.mutable_articles(0)->add_tags("t");
  EXPECT_EQ(field_of(request), "articles[0].tags");
  request = Of({"a"});
  request.mutable_articles(0)->set_section("b");
  request.mutable_articles(0)->add_sections("c");
  EXPECT_EQ(field_of(request), "articles[0].section");
  request = Of({"a"});
  request.mutable_articles(0)->set_language(std::string(limits::kArticleLanguageBytesMax + 1, 'x'));
  EXPECT_EQ(field_of(request), "articles[0].language");
  request = Of({"a"});
  request.set_site("other");
  EXPECT_TRUE(absl::IsNotFound(Put(request)));
  EXPECT_THAT(Announced({"a", "b"}), IsEmpty());
}

class PageArticleTest : public ArticleCatalogTest {
 protected:
  PageArticleTest() {
    SiteSettings settings;
    settings.allowed_origins = {"https://news.example"};
    settings.page_announcements = true;
    EXPECT_TRUE(sites_.Put(*MakeSite("demo", settings)).ok());
  }
  bool PutFromPage(const std::string& id, const std::string& title, int64_t publish_seconds = 0) {
    v1::Article article;
    article.set_article_id(id);
    article.set_title(title);
    article.set_hidden_from_lists(true);
    if (publish_seconds != 0) article.mutable_publish_time()->set_seconds(publish_seconds);
    return *thread_.Spawn(catalog_.PutFromPage(sites_.Find("demo"), article)).get();
  }
  ArticleDetails DetailsOf(std::string_view id) {
    const auto details = thread_.Spawn(catalog_.ReadDetailsNow(sites_.Find("demo"), {id})).get();
    EXPECT_TRUE(details.complete);
    return details.articles.front();
  }
};

TEST_F(PageArticleTest, WhatAPageAnnouncesIsKnownButNotAnnounced) {
  EXPECT_TRUE(PutFromPage("a", "by the page"));
  EXPECT_EQ(DetailsOf("a")->title(), "by the page");
  EXPECT_TRUE(DetailsOf("a")->announced_by_page());
  EXPECT_FALSE(DetailsOf("a")->hidden_from_lists());
  // Sites that count announced articles only do not count it.
  EXPECT_THAT(Announced({"a"}), IsEmpty());
  // Without the setting, it is not used.
  EXPECT_TRUE(sites_.Put(*MakeSite("demo", {})).ok());
  EXPECT_EQ(DetailsOf("a"), nullptr);
}

TEST_F(PageArticleTest, ThePortalsAnnouncementTakesPrecedence) {
  auto request = Of({"a"});
  request.mutable_articles(0)->set_title("by the portal");
  request.mutable_articles(0)->set_announced_by_page(true);
  EXPECT_TRUE(PutFromPage("a", "before", 1'795'000'000));
  ASSERT_TRUE(Put(request).ok());
  EXPECT_FALSE(PutFromPage("a", "after", 1'795'000'000));
  EXPECT_EQ(DetailsOf("a")->title(), "by the portal");
  EXPECT_FALSE(DetailsOf("a")->announced_by_page());
  // The portal announced no time of publication.
  const PublicationRange all{.ascending = true, .unix_ms = 0, .articles_max = 10};
  EXPECT_THAT(*thread_.Spawn(catalog_.ReadPublications(sites_.Find("demo"), all)).get(), IsEmpty());
}

}  // namespace
}  // namespace viewcount
