// Tests the contract of SiteStore on the store in Redis and on the store in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/windows.h"
#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename Rig>
class SiteStoreContract : public ::testing::Test {
 protected:
  Rig rig_;
};

using SiteRigs = ::testing::Types<RedisRig, MemoryRig>;
TYPED_TEST_SUITE(SiteStoreContract, SiteRigs);

TYPED_TEST(SiteStoreContract, SitesAreKept) {
  const StoredSite site{"demo", {"UTC"}};
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteSite(site)).ok());
  const auto sites = *this->rig_.Await(this->rig_.store().ReadSites());
  ASSERT_EQ(sites.size(), 1u);
  EXPECT_EQ(sites[0].settings.time_zone, "UTC");
  EXPECT_THAT(sites[0].settings.allowed_origins, IsEmpty());
}

TYPED_TEST(SiteStoreContract, SettingsOfSitesAreReplacedAndAliasesStay) {
  const AliasEntries aliases = {{"a b", {"c/d", 12}}};
  const auto write = [&](const StoredSite& site) {
    EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteSite(site)).ok());
  };
  write({"demo", {"UTC", {"http://localhost:8000", "https://a.example"}}});
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteAliases("demo", aliases)).ok());
  auto sites = *this->rig_.Await(this->rig_.store().ReadSites());
  ASSERT_EQ(sites.size(), 1u);
  EXPECT_EQ(sites[0].settings.time_zone, "UTC");
  EXPECT_THAT(sites[0].settings.allowed_origins, ElementsAre("http://localhost:8000", "https://a.example"));
  write({"demo", {"Asia/Tokyo", {"https://b.example"}}});
  sites = *this->rig_.Await(this->rig_.store().ReadSites());
  EXPECT_EQ(sites[0].settings.time_zone, "Asia/Tokyo");
  EXPECT_THAT(sites[0].settings.allowed_origins, ElementsAre("https://b.example"));
  write({"demo", {"Asia/Tokyo"}});
  sites = *this->rig_.Await(this->rig_.store().ReadSites());
  EXPECT_THAT(sites[0].settings.allowed_origins, IsEmpty());
  EXPECT_EQ(sites[0].aliases, aliases);
}

TYPED_TEST(SiteStoreContract, AScanListsAllTextsOfAShard) {
  std::map<std::string, std::string> written;
  for (int i = 0; i < 700; ++i) written["article " + std::to_string(i)] = std::string("\0text", 5) + std::to_string(i);
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteArticles(kShard, "demo", written)).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteArticles(kShard, "other", {{"x", "y"}})).ok());
  std::map<std::string, std::string> read;
  std::string cursor;
  do {
    auto scan = this->rig_.Await(this->rig_.store().ScanArticleTexts(kShard, "demo", cursor));
    ASSERT_TRUE(scan.ok());
    for (const auto& text : scan->texts) read[text.article_id] = text.text;
    cursor = scan->cursor;
  } while (!cursor.empty());
  EXPECT_EQ(read, written);
  EXPECT_THAT(this->rig_.Await(this->rig_.store().ScanArticleTexts(kShard, "none", ""))->texts, IsEmpty());
}

TYPED_TEST(SiteStoreContract, ArticlesAreKeptByShardAndSite) {
  using Texts = std::vector<std::optional<std::string>>;
  const auto write = [&](Shard shard, const std::map<std::string, std::string>& articles) {
    EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteArticles(shard, "demo", articles)).ok());
  };
  const auto read = [&](Shard shard, std::string_view site, const std::vector<std::string_view>& ids) {
    return *this->rig_.Await(this->rig_.store().ReadArticles(shard, site, ids));
  };
  EXPECT_EQ(read(kShard, "demo", {"a"}), Texts{std::nullopt});
  write(kShard, {{"a", "first"}, {"b c", std::string("\0\xff", 2)}, {"empty", ""}});
  write(kShard, {{"a", "second"}});
  EXPECT_EQ(read(kShard, "demo", {"b c", "x", "a", "empty"}),
            (Texts{std::string("\0\xff", 2), std::nullopt, "second", ""}));
  EXPECT_EQ(read(Shard{6}, "demo", {"a"}), Texts{std::nullopt});
  EXPECT_EQ(read(kShard, "demo.other", {"a"}), Texts{std::nullopt});
}

TYPED_TEST(SiteStoreContract, WhatPagesAnnounceIsKeptApart) {
  using Texts = std::vector<std::optional<std::string>>;
  const std::vector<std::string_view> ids = {"a", "b"};
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteArticles(kShard, "demo", {{"a", "portal"}})).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WritePageArticle(kShard, "demo", "a", "page")).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WritePageArticle(kShard, "demo", "a", "page 2")).ok());
  EXPECT_EQ(*this->rig_.Await(this->rig_.store().ReadArticles(kShard, "demo", ids)), (Texts{"portal", std::nullopt}));
  EXPECT_EQ(*this->rig_.Await(this->rig_.store().ReadPageArticles(kShard, "demo", ids)),
            (Texts{"page 2", std::nullopt}));
}

TYPED_TEST(SiteStoreContract, AnnotationsAreKeptById) {
  using Texts = std::map<std::string, std::string>;
  const auto read = [&] { return *this->rig_.Await(this->rig_.store().ReadAnnotations(kShard, "demo")); };
  EXPECT_EQ(read(), Texts());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteAnnotation(kShard, "demo", "1", "first")).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteAnnotation(kShard, "demo", "2", "second")).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().WriteAnnotation(kShard, "demo", "1", "third")).ok());
  EXPECT_EQ(read(), (Texts{{"1", "third"}, {"2", "second"}}));
  EXPECT_TRUE(*this->rig_.Await(this->rig_.store().RemoveAnnotation(kShard, "demo", "1")));
  EXPECT_FALSE(*this->rig_.Await(this->rig_.store().RemoveAnnotation(kShard, "demo", "1")));
  EXPECT_EQ(read(), (Texts{{"2", "second"}}));
}

TYPED_TEST(SiteStoreContract, PublicationsAreOrderedByTimeThenById) {
  const auto write = [&](const std::map<std::string, std::optional<int64_t>>& articles) {
    EXPECT_TRUE(this->rig_.Await(this->rig_.store().WritePublications(kShard, "demo", articles)).ok());
  };
  const auto read = [&](bool ascending, int64_t unix_ms, size_t skipped, size_t articles_max) {
    const PublicationRange range{
        .ascending = ascending, .unix_ms = unix_ms, .skipped = skipped, .articles_max = articles_max};
    std::vector<std::string> ids;
    const auto pieces = this->rig_.Await(this->rig_.store().ReadPublications(kShard, "demo", range));
    EXPECT_TRUE(pieces.ok()) << pieces.status();
    for (const Publication& publication : *pieces) {
      ids.push_back(publication.article_id + "@" + std::to_string(publication.unix_ms));
    }
    return ids;
  };
  // The years 1 and 9999.
  constexpr int64_t kFirst = -62'135'596'800'000, kLast = 253'402'300'799'999;
  EXPECT_THAT(read(true, kFirst, 0, 10), IsEmpty());
  write({{"b", 20}, {"a", 20}, {"c", 10}, {"first", kFirst}, {"last", kLast}, {"none", std::nullopt}});
  EXPECT_THAT(read(true, 10, 0, 10), ElementsAre("c@10", "a@20", "b@20", "last@253402300799999"));
  EXPECT_THAT(read(false, 20, 0, 3), ElementsAre("b@20", "a@20", "c@10"));
  EXPECT_THAT(read(false, 20, 2, 10), ElementsAre("c@10", "first@-62135596800000"));
  EXPECT_THAT(read(true, 11, 1, 1), ElementsAre("b@20"));
  write({{"a", 5}, {"b", std::nullopt}});
  EXPECT_THAT(read(false, 20, 0, 2), ElementsAre("c@10", "a@5"));
}

}  // namespace
}  // namespace viewcount
