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

}  // namespace
}  // namespace viewcount
