#include "service/http/page_announcements.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "service/base/store_thread.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

class PageAnnouncementsTest : public ::testing::Test {
 protected:
  PageAnnouncementsTest() {
    SiteSettings settings;
    settings.allowed_origins = {"https://news.example"};
    settings.page_announcements = true;
    EXPECT_TRUE(sites_.Put(*MakeSite("demo", settings)).ok());
    EXPECT_TRUE(sites_.Put(*MakeSite("silent", {})).ok());
  }
  ~PageAnnouncementsTest() override { thread_.Drain(std::chrono::seconds(5)); }

  std::shared_ptr<const Site> Demo() { return sites_.Find("demo"); }
  bool IsWanted(const std::string& id) { return thread_.Spawn(pages_.IsWanted(Demo(), id)).get(); }
  bool Take(const std::string& id, const std::string& title) {
    v1::Article article;
    article.set_article_id(id);
    article.set_title(title);
    return *thread_.Spawn(pages_.Take(Demo(), article)).get();
  }
  void Announce(const std::string& id) {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    request.add_articles()->set_article_id(id);
    EXPECT_TRUE(thread_.Spawn(catalog_.Put(request)).get().ok());
  }

  StoreThread thread_;
  ManualClock clock_;
  MemoryStore store_{{}};
  SiteDirectory sites_;
  ArticleCatalog catalog_{sites_, store_, clock_};
  PageAnnouncements pages_{catalog_, thread_.executor(), clock_};
};

TEST_F(PageAnnouncementsTest, AnUnknownPageIsAskedOnceInAWhile) {
  EXPECT_TRUE(pages_.MayBeWanted(*Demo(), "/a"));
  EXPECT_TRUE(IsWanted("/a"));
  EXPECT_FALSE(IsWanted("/a"));
  EXPECT_TRUE(IsWanted("/b"));
  clock_.Advance(kAskAgainAfter);
  EXPECT_TRUE(IsWanted("/a"));
}

TEST_F(PageAnnouncementsTest, WhatThePortalAnnouncedIsNotWanted) {
  Announce("/a");
  EXPECT_FALSE(IsWanted("/a"));
  EXPECT_FALSE(pages_.MayBeWanted(*Demo(), "/a"));
  EXPECT_FALSE(Take("/a", "by a page"));
}

TEST_F(PageAnnouncementsTest, APageAnnouncesItselfAgainAfterAWhile) {
  EXPECT_TRUE(Take("/a", "first"));
  EXPECT_FALSE(IsWanted("/a"));
  EXPECT_FALSE(Take("/a", "second"));
  clock_.Advance(kAnnouncementPause);
  EXPECT_TRUE(Take("/a", "third"));
  clock_.Advance(kAnnouncedAgainAfter);
  EXPECT_TRUE(IsWanted("/a"));
}

TEST_F(PageAnnouncementsTest, SitesWithoutTheSettingAskNothing) {
  EXPECT_FALSE(pages_.MayBeWanted(*sites_.Find("silent"), "/a"));
}

}  // namespace
}  // namespace viewcount
