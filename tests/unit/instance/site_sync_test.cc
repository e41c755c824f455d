// Tests that directory and store get to know the same sites, whichever of them changes, at any time.
#include "service/instance/site_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/base/store_thread.h"
#include "service/sites/retention.h"
#include "service/store/site_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Origins = std::vector<std::string>;

// Passes calls to another store, which must outlive it. Runs on the store's executor.
class SlowSiteStore final : public SiteStore {
 public:
  // Calls `sites_read` after the sites are read and before the answer.
  SlowSiteStore(SiteStore& store, std::function<boost::asio::awaitable<void>()> sites_read)
      : store_(store), sites_read_(std::move(sites_read)) {}

  boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() override {
    auto sites = co_await store_.ReadSites();
    co_await sites_read_();
    co_return sites;
  }
  boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) override { return store_.WriteSite(site); }
  boost::asio::awaitable<absl::StatusOr<bool>> SwapSite(const StoredSite& site, const SiteSettings& expected) override {
    return store_.SwapSite(site, expected);
  }
  boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) override {
    return store_.WriteAliases(site, aliases);
  }
  boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                     const std::map<std::string, std::string>& articles) override {
    return store_.WriteArticles(shard, site, articles);
  }
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override {
    return store_.ReadArticles(shard, site, ids);
  }
  boost::asio::awaitable<absl::StatusOr<TextScan>> ScanArticleTexts(Shard shard, std::string_view site,
                                                                    std::string_view cursor) override {
    return store_.ScanArticleTexts(shard, site, cursor);
  }
  boost::asio::awaitable<absl::Status> WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                        std::string_view text) override {
    return store_.WritePageArticle(shard, site, id, text);
  }
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadPageArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override {
    return store_.ReadPageArticles(shard, site, ids);
  }
  boost::asio::awaitable<absl::Status> WritePublications(
      Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) override {
    return store_.WritePublications(shard, site, articles);
  }
  boost::asio::awaitable<absl::StatusOr<std::vector<Publication>>> ReadPublications(
      Shard shard, std::string_view site, const PublicationRange& range) override {
    return store_.ReadPublications(shard, site, range);
  }

 private:
  SiteStore& store_;
  const std::function<boost::asio::awaitable<void>()> sites_read_;
};

class SiteSyncTest : public ::testing::Test {
 protected:
  ~SiteSyncTest() override { thread_.Drain(std::chrono::seconds(5)); }

  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return thread_.Spawn(std::move(coroutine)).get();
  }
  absl::StatusOr<bool> Put(const std::string& name, const std::string& zone, const Origins& origins) {
    return Await(keeper_.Put(*MakeSite(name, {zone, origins})));
  }
  void Refresh() {
    const auto status = Await(keeper_.Refresh());
    ASSERT_TRUE(status.ok()) << status;
  }
  StoredSite Stored(const std::string& name) {
    const auto sites = *Await(store_.ReadSites());
    for (const StoredSite& site : sites) {
      if (site.name == name) return site;
    }
    ADD_FAILURE() << name << " is not stored";
    return {};
  }

  StoreThread thread_;
  MemoryStore store_;
  // Runs once, while the store's answer is on its way.
  std::function<boost::asio::awaitable<void>()> meanwhile_;
  SlowSiteStore slow_{store_, [this]() -> boost::asio::awaitable<void> {
                        if (meanwhile_) co_await std::exchange(meanwhile_, {})();
                      }};
  SiteDirectory sites_;
  ManualClock clock_;
  SiteSync keeper_{thread_.executor(), slow_, sites_, clock_};
};

TEST_F(SiteSyncTest, WhatIsPutIsInBoth) {
  EXPECT_TRUE(*Put("demo", "Asia/Tokyo", {"https://a.example"}));
  EXPECT_EQ(Stored("demo").settings.time_zone, "Asia/Tokyo");
  EXPECT_THAT(Stored("demo").settings.allowed_origins, ElementsAre("https://a.example"));
  EXPECT_TRUE(sites_.Find("demo")->Allows("https://a.example"));
  EXPECT_FALSE(*Put("demo", "Asia/Tokyo", {}));
  EXPECT_THAT(Stored("demo").settings.allowed_origins, IsEmpty());
  EXPECT_TRUE(sites_.Find("demo")->Allows("https://b.example"));
}

TEST_F(SiteSyncTest, OriginsThatAnotherInstanceChangedAreTakenOver) {
  ASSERT_TRUE(Put("demo", "UTC", {"https://a.example"}).ok());
  ASSERT_TRUE(Await(store_.WriteSite({"demo", {"UTC", {"https://b.example"}}})).ok());
  Refresh();
  EXPECT_THAT(sites_.Find("demo")->settings.allowed_origins, ElementsAre("https://b.example"));
}

TEST_F(SiteSyncTest, AnInstanceThatLearnsLateOfLongerHoursSaysSo) {
  ASSERT_TRUE(Put("demo", "UTC", {}).ok());
  Refresh();
  const auto change = [&](const char* name, uint32_t days, std::vector<EarlierHoursKept> earlier) {
    const StoredSite site{name,
                          {.time_zone = "UTC", .hours_kept_days = days, .earlier_hours_kept = std::move(earlier)}};
    ASSERT_TRUE(Await(store_.WriteSite(site)).ok());
    Refresh();
  };
  const int64_t now = clock_.UnixMillis();
  // In time: the change holds for hours that begin later.
  change("demo", 20, {{.days = 8, .until_unix_ms = now + 1}});
  EXPECT_EQ(Stored("demo").settings.earlier_hours_kept, (std::vector<EarlierHoursKept>{{8, now + 1}}));
  clock_.Advance(std::chrono::hours(5));
  change("demo", 30, {{.days = 20, .until_unix_ms = now + 2}});
  const std::vector<EarlierHoursKept> moved = {{.days = 20, .until_unix_ms = FirstHourOfChange(clock_.UnixMillis())}};
  EXPECT_EQ(Stored("demo").settings.earlier_hours_kept, moved);
  EXPECT_EQ(sites_.Find("demo")->settings.earlier_hours_kept, moved);
  EXPECT_EQ(sites_.Find("demo")->settings.hours_kept_days, 30u);
  // A recent change by others covers the value known here only if it is no larger.
  change("demo", 40, {{.days = 35, .until_unix_ms = clock_.UnixMillis() + 9'000'000}});
  const std::vector<EarlierHoursKept> added = {
      {.days = 30, .until_unix_ms = std::max(FirstHourOfChange(clock_.UnixMillis()), clock_.UnixMillis() + 9'000'001)}};
  EXPECT_EQ(Stored("demo").settings.earlier_hours_kept, added);
  // A new site has no hours that were written before.
  change("new", 30, {{.days = 20, .until_unix_ms = now + 2}});
  EXPECT_EQ(Stored("new").settings.earlier_hours_kept, (std::vector<EarlierHoursKept>{{20, now + 2}}));
  // A smaller value holds at once.
  change("demo", 10, {});
  EXPECT_THAT(Stored("demo").settings.earlier_hours_kept, IsEmpty());
}

TEST_F(SiteSyncTest, ALateChangeReplacesOnlyTheSettingsThatWereRead) {
  ASSERT_TRUE(Put("demo", "UTC", {}).ok());
  Refresh();
  const StoredSite longer{"demo", {.time_zone = "UTC", .hours_kept_days = 30}};
  ASSERT_TRUE(Await(store_.WriteSite(longer)).ok());
  const StoredSite newest{"demo", {.time_zone = "Asia/Tokyo", .hours_kept_days = 30}};
  meanwhile_ = [&]() -> boost::asio::awaitable<void> { EXPECT_TRUE((co_await store_.WriteSite(newest)).ok()); };
  Refresh();
  EXPECT_EQ(Stored("demo").settings, newest.settings);
  Refresh();
  EXPECT_EQ(Stored("demo").settings.time_zone, "Asia/Tokyo");
  EXPECT_EQ(Stored("demo").settings.earlier_hours_kept.size(), 1u);
  EXPECT_EQ(sites_.Find("demo")->settings, Stored("demo").settings);
}

TEST_F(SiteSyncTest, SettingsThatCannotBeUsedChangeNothing) {
  ASSERT_TRUE(Put("demo", "UTC", {"https://a.example"}).ok());
  ASSERT_TRUE(Await(store_.WriteSite({"demo", {"UTC", {"https://b.example/"}}})).ok());
  Refresh();
  EXPECT_THAT(sites_.Find("demo")->settings.allowed_origins, ElementsAre("https://a.example"));
}

TEST_F(SiteSyncTest, WhatTheStoreLostIsWrittenAgain) {
  ASSERT_TRUE(Put("demo", "Asia/Tokyo", {"https://a.example"}).ok());
  store_.Empty();
  Refresh();
  EXPECT_EQ(Stored("demo").settings.time_zone, "Asia/Tokyo");
  EXPECT_THAT(Stored("demo").settings.allowed_origins, ElementsAre("https://a.example"));
}

TEST_F(SiteSyncTest, AliasesThatTheStoreLostAreWrittenAgain) {
  Site site = *MakeSite("demo", {"UTC", {"https://a.example"}});
  site.SetAliases({{"a", {"b", 2}}});
  ASSERT_TRUE(sites_.Put(site).ok());
  ASSERT_TRUE(Await(store_.WriteSite({"demo", {"Asia/Tokyo"}})).ok());
  Refresh();
  EXPECT_EQ(Stored("demo").aliases, site.alias_entries());
  EXPECT_EQ(sites_.Find("demo")->alias_entries(), site.alias_entries());
  EXPECT_EQ(sites_.Find("demo")->settings.time_zone, "Asia/Tokyo");
}

TEST_F(SiteSyncTest, WhatIsPutWhileTheStoreIsReadStays) {
  ASSERT_TRUE(Put("demo", "UTC", {"https://a.example"}).ok());
  std::vector<Origins> heard;
  class Listener final : public SiteListener {
   public:
    explicit Listener(std::vector<Origins>& heard) : heard_(heard) {}
    void SiteChanged(std::shared_ptr<const Site> site) override { heard_.push_back(site->settings.allowed_origins); }

   private:
    std::vector<Origins>& heard_;
  } listener(heard);
  sites_.Listen(listener);
  const Site changed = *MakeSite("demo", {"UTC", {"https://b.example"}});
  meanwhile_ = [this, &changed]() -> boost::asio::awaitable<void> {
    const auto put = co_await keeper_.Put(changed);
    EXPECT_TRUE(put.ok()) << put.status();
  };
  Refresh();
  EXPECT_THAT(heard, ElementsAre(Origins{"https://a.example"}, Origins{"https://b.example"}));
}

TEST_F(SiteSyncTest, OriginsOfAllSitesTogetherHaveALimit) {
  // Each list has 64 origins. An origin takes 259 bytes, including its separator.
  Origins origins;
  const std::string host = std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".";
  for (size_t i = 0; i < limits::kSiteOriginsMax; ++i) {
    origins.push_back("https://" + host + std::string(63, 'd') + "." + std::to_string(i + 10) + "e");
  }
  const std::string last_name = "site" + std::to_string(limits::kSiteListsBytesMax / (64 * 259));
  absl::StatusOr<bool> put = true;
  std::string name;
  for (int i = 0; put.ok(); ++i) {
    name = "site" + std::to_string(i);
    put = Put(name, "UTC", origins);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(put.status())) << put.status();
  EXPECT_EQ(name, last_name);
  EXPECT_EQ(sites_.Find(name), nullptr);
  EXPECT_EQ(Await(store_.ReadSites())->size(), sites_.All().size()) << "nothing was stored";
  EXPECT_TRUE(Put(name, "UTC", {}).ok());
  // Stored origins may stay, and they may be removed to make room.
  EXPECT_TRUE(Put("site0", "Asia/Tokyo", origins).ok());
  EXPECT_TRUE(Put("site0", "Asia/Tokyo", {}).ok());
  EXPECT_TRUE(Put(name, "UTC", origins).ok());
}

}  // namespace
}  // namespace viewcount
