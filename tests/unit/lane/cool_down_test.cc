// Tests the cool-down of a site. The tests check which views the lane omits, what it journals about them, and what it
// remembers after a restart.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/lane/lane_rig.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

using std::chrono::minutes;

constexpr minutes kCoolDown{30};

struct SentView {
  std::string article;
  uint64_t viewer = 0;
  uint32_t count = 1;
  bool bot = false;
};

class CoolDownTest : public ::testing::Test {
 protected:
  CoolDownTest() { Apply({"UTC", {}, kCoolDown}); }

  void Apply(const SiteSettings& settings) {
    Site site = *MakeSite("demo", settings);
    site.index = rig_.site->index;
    site.SetAliases({{"old", {"a", 1}}});
    rig_.lane->ApplySite(std::make_shared<const Site>(std::move(site)));
    (void)rig_.lane->Step();
  }
  // Returns how many views were counted.
  uint64_t Send(const std::vector<SentView>& views, uint64_t previous_viewer = 0) {
    v1::RecordViewsRequest message;
    for (const SentView& view : views) {
      auto* added = message.add_views();
      added->set_article_id(view.article);
      added->set_viewer(view.viewer);
      added->set_count(view.count);
      added->set_bot(view.bot);
    }
    EncodedBatch batch(*rig_.site, std::move(message), rig_.clock.UnixMillis(), rig_.clock.Now());
    batch.previous_viewer = previous_viewer;
    EXPECT_TRUE(rig_.lane->Submit(&batch).ok());
    (void)rig_.lane->Step();
    const auto answer = batch.Wait();
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    return answer.result.accepted_views;
  }
  uint64_t View(const std::string& article, uint64_t viewer) { return Send({{article, viewer}}); }
  // Returns the result of folding the whole journal again.
  int64_t Refolded(const std::string& id, Window window = {}) {
    const auto chunks = Refold(rig_.source, PlanRefold(ShardSet::All(), ShardCursors(), rig_.journal->end()));
    EXPECT_TRUE(chunks.ok()) << chunks.status();
    const Chunk& chunk = *chunks->front().chunk;
    const Chunk::Article* article = chunk.Find(rig_.site->index, ArticleHash(rig_.site->seed, id), id);
    return article == nullptr ? 0 : chunk.ViewsOf(*article, window);
  }

  LaneRig rig_;
};

TEST_F(CoolDownTest, AViewerCountsOncePerArticleInSoLong) {
  EXPECT_EQ(View("a", 1), 1u);
  EXPECT_EQ(View("a", 1), 0u);
  EXPECT_EQ(View("b", 1), 1u);
  EXPECT_EQ(View("a", 2), 1u);
  rig_.clock.Advance(kCoolDown - minutes(1));
  EXPECT_EQ(View("a", 1), 0u);
  // An omitted view does not begin a new cool-down.
  rig_.clock.Advance(minutes(1));
  EXPECT_EQ(View("a", 1), 1u);
  EXPECT_EQ(rig_.Pending("a"), 3u);
  EXPECT_EQ(rig_.Pending("b"), 1u);
}

TEST_F(CoolDownTest, WhatIsLeftOutIsRejectedAndNothingElse) {
  EXPECT_EQ(Send({{"a", 1, 5}, {"a", 1, 2}, {"a", 0, 3}, {"a", 0, 3}, {"a", 1, 4, true}, {"old", 1}}), 1u + 3 + 3 + 4);
  const Lane::Counters counters = rig_.lane->counters();
  EXPECT_EQ(counters.received, 18u);
  EXPECT_EQ(counters.counted, 11u);
  EXPECT_EQ(counters.rejected, 7u);
  EXPECT_EQ(rig_.metrics.Rejected(RejectReason::kCoolDown).Value(), 7);
  EXPECT_EQ(rig_.Pending("a"), 7u);
  EXPECT_EQ(rig_.Pending("a", {Window::Kind::kBots, 0}), 4u);
  EXPECT_EQ(rig_.Pending("old"), 0u);
}

TEST_F(CoolDownTest, AVisitGoesOnThroughViewsThatDoNotCount) {
  const Window visits{Window::Kind::kVisits, 0};
  Apply({"UTC", {}, std::chrono::hours(2)});
  EXPECT_EQ(View("a", 1), 1u);
  for (int i = 0; i < 3; ++i) {
    rig_.clock.Advance(minutes(20));
    EXPECT_EQ(View("a", 1), 0u);
    EXPECT_EQ(rig_.Pending("", visits), 1u);
  }
  rig_.clock.Advance(minutes(31));
  EXPECT_EQ(View("a", 1), 0u);
  EXPECT_EQ(rig_.Pending("", visits), 2u);
}

TEST_F(CoolDownTest, AViewerIsKnownByTheNameOfTheDayBefore) {
  EXPECT_EQ(View("a", 1), 1u);
  EXPECT_EQ(Send({{"a", 7}}, 1), 0u);
  EXPECT_EQ(Send({{"b", 7}}, 1), 1u);
  EXPECT_EQ(View("b", 7), 0u);
}

TEST_F(CoolDownTest, FoldingAgainGivesTheSame) {
  EXPECT_EQ(Send({{"a", 1, 5}, {"b", 1}, {"a", 1}, {"a", 0, 9}}), 1u + 1 + 9);
  EXPECT_EQ(Send({{"a", 1, 3}, {"a", 2, 3}}), 1u);
  // The decisions of the past do not depend on the present settings.
  Apply({"UTC"});
  EXPECT_EQ(Send({{"a", 1, 3}}), 3u);
  EXPECT_EQ(Refolded("a"), 14);
  EXPECT_EQ(Refolded("b"), 1);
  rig_.Recover();
  EXPECT_EQ(Refolded("a"), 14);
  const ShardViews journaled = rig_.ledger->journaled();
  uint64_t sum = 0;
  for (const uint64_t views : journaled) sum += views;
  EXPECT_EQ(sum, 15u);
}

TEST_F(CoolDownTest, ItOutlivesTheProcess) {
  EXPECT_EQ(View("a", 1), 1u);
  for (const bool checkpoint : {false, true}) {
    if (checkpoint) {
      ASSERT_TRUE(rig_.lane->WriteCheckpointNow().ok());
    }
    rig_.Recover();
    Apply({"UTC", {}, kCoolDown});
    EXPECT_EQ(View("a", 1), 0u) << checkpoint;
    EXPECT_EQ(View("a", checkpoint ? 3 : 2), 1u);
  }
  rig_.clock.Advance(kCoolDown);
  EXPECT_EQ(View("a", 1), 1u);
}

TEST_F(CoolDownTest, WithoutOneEveryViewCounts) {
  Apply({"UTC"});
  EXPECT_EQ(View("a", 1) + View("a", 1) + Send({{"a", 1, 7}}), 9u);
  EXPECT_EQ(rig_.metrics.Rejected(RejectReason::kCoolDown).Value(), 0);
}

}  // namespace
}  // namespace viewcount
