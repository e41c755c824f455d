// Tests the guarantees of the directory for its listeners and for its readers.
#include "service/sites/site_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;

class Listener final : public SiteListener {
 public:
  void SiteChanged(std::shared_ptr<const Site> site) override {
    if (on_change) on_change(*site);
    heard.push_back(site->name + " " + site->settings.time_zone);
  }
  std::function<void(const Site&)> on_change;
  std::vector<std::string> heard;
};

TEST(SiteDirectory, SitesAreFoundByNameAndIndex) {
  SiteDirectory sites;
  EXPECT_EQ(sites.Find("demo"), nullptr);
  EXPECT_TRUE(*sites.Put(*MakeSite("demo", {})));
  EXPECT_TRUE(*sites.Put(*MakeSite("alpha", {"Asia/Kolkata"})));
  const auto demo = sites.Find("demo");
  ASSERT_NE(demo, nullptr);
  EXPECT_EQ(sites.At(demo->index), demo);
  EXPECT_NE(sites.Find("alpha")->index, demo->index);
  EXPECT_EQ(sites.Find("Demo"), nullptr);
  std::vector<std::string> names;
  for (const auto& site : sites.All()) names.push_back(site->name);
  EXPECT_THAT(names, ElementsAre("alpha", "demo"));
}

TEST(SiteDirectory, NobodyIsToldThatThereIsNoSuchSiteBeforeTheStoreWasRead) {
  SiteDirectory sites;
  EXPECT_TRUE(absl::IsNotFound(sites.Unknown("demo")));
  sites.SetIncomplete(true);
  EXPECT_TRUE(absl::IsUnavailable(sites.Unknown("demo")));
  EXPECT_EQ(RetryDelayOf(sites.Unknown("demo")), limits::kRetryDelay);
  sites.SetIncomplete(false);
  EXPECT_TRUE(absl::IsNotFound(sites.Unknown("demo")));
}

TEST(SiteDirectory, ChangedSettingsKeepTheIndex) {
  SiteDirectory sites;
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {})).ok());
  const auto before = sites.Find("demo");
  EXPECT_FALSE(*sites.Put(*MakeSite("demo", {"Asia/Kolkata"})));
  const auto after = sites.Find("demo");
  EXPECT_EQ(after->index, before->index);
  EXPECT_EQ(after->settings.time_zone, "Asia/Kolkata");
  EXPECT_EQ(sites.At(after->index), after);
  // A reader that holds the old site keeps it.
  EXPECT_EQ(before->settings.time_zone, "UTC");
}

TEST(SiteDirectory, ListenersAreToldInOrderAndOnlyOfChanges) {
  Listener first;
  Listener second;
  SiteDirectory sites;
  sites.Listen(first);
  sites.Listen(second);
  second.on_change = [&](const Site&) { EXPECT_EQ(first.heard.size(), second.heard.size() + 1); };
  for (const char* zone : {"", "UTC", "Asia/Kolkata", "Asia/Kolkata"})
    ASSERT_TRUE(sites.Put(*MakeSite("demo", {zone})).ok());
  EXPECT_THAT(first.heard, ElementsAre("demo UTC", "demo Asia/Kolkata"));
  EXPECT_EQ(second.heard, first.heard);
}

TEST(SiteDirectory, AChangeOfOriginsAloneIsAChange) {
  Listener listener;
  SiteDirectory sites;
  sites.Listen(listener);
  const std::vector<std::string> kOrigins = {"https://a.example"};
  for (const auto& origins : {{}, kOrigins, kOrigins, {}}) {
    ASSERT_TRUE(sites.Put(*MakeSite("demo", {"Asia/Kolkata", origins})).ok());
    EXPECT_EQ(sites.Find("demo")->settings.allowed_origins, origins);
    EXPECT_EQ(sites.Find("demo")->settings.time_zone, "Asia/Kolkata");
  }
  EXPECT_EQ(listener.heard.size(), 3u);
}

TEST(SiteDirectory, WhoListensLaterIsToldOfWhatIsThere) {
  SiteDirectory sites;
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {"Asia/Tokyo"})).ok());
  ASSERT_TRUE(sites.Put(*MakeSite("alpha", {})).ok());
  Listener listener;
  sites.Listen(listener);
  EXPECT_THAT(listener.heard, ElementsAre("alpha UTC", "demo Asia/Tokyo"));
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {"UTC"})).ok());
  EXPECT_EQ(listener.heard.back(), "demo UTC");
}

TEST(SiteDirectory, ListenersAreToldBeforeAnyoneFindsTheChange) {
  Listener listener;
  SiteDirectory sites;
  sites.Listen(listener);
  listener.on_change = [&](const Site&) { EXPECT_EQ(sites.Find("demo"), nullptr); };
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {})).ok());
  listener.on_change = [&](const Site& site) {
    EXPECT_EQ(site.index, SiteIndex{0});
    EXPECT_EQ(sites.Find("demo")->settings.time_zone, "UTC");
  };
  ASSERT_TRUE(sites.Put(*MakeSite("demo", {"Asia/Kolkata"})).ok());
  EXPECT_EQ(listener.heard.size(), 2u);
}

TEST(SiteDirectory, ThereIsALimit) {
  SiteDirectory sites;
  for (size_t i = 0; i < limits::kSitesMax; ++i) ASSERT_TRUE(sites.Put(*MakeSite("s" + std::to_string(i), {""})).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(sites.Put(*MakeSite("one-more", {})).status()));
  EXPECT_EQ(sites.Find("one-more"), nullptr);
  EXPECT_FALSE(*sites.Put(*MakeSite("s0", {"Asia/Kolkata"})));
}

// Two threads put sites and two threads look them up. Listeners must have been notified of every site that is found.
TEST(SiteDirectory, IsUsedByManyThreads) {
  constexpr int kSites = 300;
  std::array<std::atomic<int>, 2 * kSites> heard{};
  Listener listener;
  listener.on_change = [&](const Site& site) { ++heard[site.index.value]; };
  SiteDirectory sites;
  sites.Listen(listener);
  std::atomic<bool> done = false;
  std::atomic<int> looked = 0;
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      while (!done) {
        for (const auto& site : sites.All()) {
          const int times = heard[site->index.value];
          EXPECT_GE(times, site->settings.time_zone == "UTC" ? 1 : 2) << site->name;
          EXPECT_EQ(sites.At(site->index)->name, site->name);
          EXPECT_NE(sites.Find(site->name), nullptr);
          ++looked;
        }
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kSites; ++i) {
        const std::string name = "w" + std::to_string(writer) + "-" + std::to_string(i);
        EXPECT_TRUE(*sites.Put(*MakeSite(name, {})));
        EXPECT_FALSE(*sites.Put(*MakeSite(name, {"Asia/Kolkata"})));
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  while (looked == 0) std::this_thread::yield();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sites.All().size(), 2u * kSites);
  for (const auto& times : heard) EXPECT_EQ(times, 2);
}

}  // namespace
}  // namespace viewcount
