// Tests that an export has every article once, with its exact counts, whatever is counted meanwhile.
#include "service/query/count_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "service/base/status.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

constexpr Window kAllTime = {};

class CountExportTest : public ::testing::Test {
 protected:
  CountExportTest() { EXPECT_TRUE(pipeline_.Open().ok()); }

  absl::StatusOr<std::unique_ptr<CountExporter::Export>> Begin(std::vector<Window> windows = {kAllTime}) {
    return pipeline_.Await(exporter_.Begin(pipeline_.site(), std::move(windows)));
  }
  // Returns the text "views bot_views viewers" of each article. Calls `meanwhile` before each piece.
  std::map<std::string, std::string> All(
      std::vector<Window> windows = {kAllTime}, const std::function<void()>& meanwhile = [] {}) {
    std::map<std::string, std::string> all;
    const auto begun = Begin(std::move(windows));
    EXPECT_TRUE(begun.ok()) << begun.status();
    double progress = 0;
    while (begun.ok()) {
      meanwhile();
      const auto piece = pipeline_.Await((*begun)->Next());
      EXPECT_TRUE(piece.ok()) << piece.status();
      if (!piece.ok() || !*piece) break;
      EXPECT_EQ((*piece)->ids.size(), (*piece)->totals.size());
      EXPECT_LE((*piece)->ids.size(), limits::kGetCountsArticlesMax);
      EXPECT_GE((*begun)->progress(), progress);
      progress = (*begun)->progress();
      for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
        const ArticleTotals& totals = (*piece)->totals[i];
        const std::string text = std::to_string(totals.views) + " " + std::to_string(totals.bot_views) + " " +
                                 std::to_string(totals.viewers);
        EXPECT_TRUE(all.emplace((*piece)->ids[i], text).second) << (*piece)->ids[i] << " came twice";
      }
    }
    EXPECT_LE(progress, 1);
    return all;
  }

  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_};
  CountExporter exporter_{pipeline_.store(), pipeline_.counts(), pipeline_.flush_function()};
};

TEST_F(CountExportTest, HasEveryArticleOnceWhateverIsCountedMeanwhile) {
  EXPECT_TRUE(All().empty());
  std::map<std::string, std::string> expected;
  std::vector<DecodedView> views;
  std::vector<std::string> ids;
  for (int i = 0; i < 70'000; ++i) ids.push_back("/tin/" + std::to_string(i));
  for (size_t i = 0; i < ids.size(); ++i) {
    views.push_back({.article_id = ids[i], .count = static_cast<uint32_t>(1 + i % 7)});
    expected[ids[i]] = std::to_string(1 + i % 7) + " 0 0";
  }
  views.push_back({.article_id = "bots only", .count = 3, .bot = true});
  views.push_back({.article_id = ids[5], .count = 2, .bot = true});
  views.push_back({.article_id = ids[6], .viewer = 9});
  pipeline_.Fold(views);
  expected["bots only"] = "0 3 0";
  expected[ids[5]] = "6 2 0";
  expected[ids[6]] = "8 0 1";
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_EQ(All(), expected);
  // Further views may be in a count or not, and new articles may be listed or not.
  int pieces = 0;
  const auto later = All({kAllTime}, [&] {
    pipeline_.Fold(ids[7], 1'000);
    pipeline_.Fold("new/" + std::to_string(++pieces));
    if (pieces % 10 == 0) EXPECT_TRUE(pipeline_.Flush().ok());
  });
  EXPECT_GE(pieces, 70);
  for (const auto& [id, counts] : expected) {
    const auto found = later.find(id);
    ASSERT_NE(found, later.end()) << id;
    if (id != ids[7]) EXPECT_EQ(found->second, counts) << id;
  }
}

TEST_F(CountExportTest, ADayHasItsOwnViews) {
  constexpr int64_t kDayMs = 86'400'000;
  pipeline_.Fold({{.article_id = "a", .event_time_unix_ms = 20'000 * kDayMs, .count = 2},
                  {.article_id = "a", .event_time_unix_ms = 20'001 * kDayMs, .count = 30},
                  {.article_id = "b", .event_time_unix_ms = 20'001 * kDayMs, .count = 4, .bot = true}});
  ASSERT_TRUE(pipeline_.Flush().ok());
  using Texts = std::map<std::string, std::string>;
  EXPECT_EQ(All({{Window::Kind::kDay, 20241004}}), (Texts{{"a", "2 0 0"}}));
  EXPECT_EQ(All({{Window::Kind::kDay, 20241005}}), (Texts{{"a", "30 0 0"}}));
  EXPECT_EQ(All(), (Texts{{"a", "32 0 0"}, {"b", "0 4 0"}}));
  EXPECT_TRUE(All({{Window::Kind::kDay, 20241006}}).empty());
  EXPECT_EQ(All({{Window::Kind::kDay, 20241004}, {Window::Kind::kDay, 20241005}}), (Texts{{"a", "32 0 0"}}));
}

TEST_F(CountExportTest, OnlySoManyAreOpenAtOnce) {
  std::vector<std::unique_ptr<CountExporter::Export>> open;
  for (size_t i = 0; i < limits::kExportsMax; ++i) open.push_back(*Begin());
  EXPECT_TRUE(absl::IsResourceExhausted(Begin().status()));
  open.pop_back();
  EXPECT_TRUE(Begin().ok());
}

TEST_F(CountExportTest, DoesNotGoOnAtAServerThatHasRestarted) {
  std::vector<DecodedView> views;
  std::vector<std::string> ids;
  for (int i = 0; i < 2'000; ++i) ids.push_back("/tin/" + std::to_string(i));
  for (const std::string& id : ids) views.push_back({.article_id = id});
  pipeline_.Fold(views);
  ASSERT_TRUE(pipeline_.Flush().ok());
  const auto begun = *Begin();
  ASSERT_TRUE(pipeline_.Await(begun->Next())->has_value());
  const uint64_t generation = pipeline_.store().generation();
  redis_.Kill();
  redis_.Start();
  EXPECT_TRUE(Eventually([&] { return pipeline_.store().generation() != generation; }));
  EXPECT_TRUE(absl::IsUnavailable(pipeline_.Await(begun->Next()).status()));
}

TEST_F(CountExportTest, EndsWhenTheStoreGoesOrTheServiceStops) {
  pipeline_.Fold("a");
  ASSERT_TRUE(pipeline_.Flush().ok());
  const auto first = *Begin(), second = *Begin();
  exporter_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(pipeline_.Await(first->Next()).status()));
  CountExporter other(pipeline_.store(), pipeline_.counts(), pipeline_.flush_function());
  const auto third = *pipeline_.Await(other.Begin(pipeline_.site(), {kAllTime}));
  redis_.Kill();
  EXPECT_TRUE(absl::IsUnavailable(pipeline_.Await(third->Next()).status()));
}

TEST_F(CountExportTest, EndsWhenItsFirstDayIsNoLongerKept) {
  bool kept = true;
  CountExporter other(pipeline_.store(), pipeline_.counts(), pipeline_.flush_function(),
                      [&](const Site&, const std::vector<Window>&) { return kept; });
  pipeline_.Fold("a");
  const std::vector<Window> windows = {{Window::Kind::kDay, 20'260'101}};
  const auto begun = pipeline_.Await(other.Begin(pipeline_.site(), windows));
  ASSERT_TRUE(begun.ok()) << begun.status();
  kept = false;
  const auto piece = pipeline_.Await((*begun)->Next());
  EXPECT_TRUE(absl::IsUnavailable(piece.status())) << piece.status();
}

}  // namespace
}  // namespace viewcount
