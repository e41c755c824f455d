#include "client/cpp/view_batch.h"

#include <gtest/gtest.h>

#include "service/base/limits.h"

namespace viewcount::client {
namespace {

View ViewOf(const std::string& article, int64_t time = 1'000, uint64_t viewer = 0, bool bot = false,
            uint32_t count = 1) {
  View view;
  view.article_id = article;
  view.count = count;
  view.viewer = viewer;
  view.event_time_unix_ms = time;
  view.bot = bot;
  return view;
}

TEST(ViewBatch, EqualViewsAddUp) {
  ViewBatch batch;
  batch.Add(ViewOf("a", 1'000));
  batch.Add(ViewOf("a", 1'999));
  batch.Add(ViewOf("a", 1'500, 0, false, 5));
  ASSERT_EQ(batch.entries(), 1u);
  EXPECT_EQ(batch.list()[0].count, 7u);
  EXPECT_EQ(batch.list()[0].event_time_unix_ms, 1'000);
  EXPECT_EQ(batch.views(), 7u);
}

TEST(ViewBatch, AnotherArticleViewerBotOrSecondStaysApart) {
  ViewBatch batch;
  batch.Add(ViewOf("a"));
  batch.Add(ViewOf("b"));
  batch.Add(ViewOf("a", 2'000));
  batch.Add(ViewOf("a", 1'000, 7));
  batch.Add(ViewOf("a", 1'000, 0, true));
  EXPECT_EQ(batch.entries(), 5u);
  EXPECT_EQ(batch.views(), 5u);
}

TEST(ViewBatch, ASumOverTheLimitBecomesTwoEntries) {
  ViewBatch batch;
  batch.Add(ViewOf("a", 1'000, 0, false, limits::kViewCountMax));
  batch.Add(ViewOf("a", 1'000, 0, false, 3));
  batch.Add(ViewOf("a", 1'000, 0, false, 4));
  ASSERT_EQ(batch.entries(), 2u);
  EXPECT_EQ(batch.list()[0].count, limits::kViewCountMax);
  EXPECT_EQ(batch.list()[1].count, 7u);
}

TEST(ViewBatch, OnlyNewEntriesCostMemory) {
  ViewBatch batch;
  const size_t cost = batch.CostOf(ViewOf("a"));
  EXPECT_GT(cost, sizeof(View));
  batch.Add(ViewOf("a"));
  EXPECT_EQ(batch.bytes(), cost);
  EXPECT_EQ(batch.CostOf(ViewOf("a")), 0u);
  batch.Add(ViewOf("a"));
  EXPECT_EQ(batch.bytes(), cost);
}

TEST(ViewBatch, AFullBatchFitsARequest) {
  ViewBatch batch;
  for (uint64_t i = 0;; ++i) {
    auto view = ViewOf(std::string(limits::kArticleIdBytesMax - 8, 'x') + std::to_string(10'000'000 + i),
                       limits::kEventTimeUnixMsMax, ~uint64_t{0}, true, limits::kViewCountMax);
    if (!batch.HasRoomFor(view, limits::kBatchViewsMax)) break;
    batch.Add(view);
  }
  v1::RecordViewsRequest request;
  request.set_site(std::string(limits::kSiteNameBytesMax, 's'));
  request.set_writer_id(std::string(16, '\xFF'));
  request.set_sequence(~uint64_t{0});
  batch.AppendTo(request);
  EXPECT_EQ(static_cast<size_t>(request.views_size()), batch.entries());
  EXPECT_LE(request.ByteSizeLong(), limits::kRequestBytesMax);
  EXPECT_GT(request.ByteSizeLong(), limits::kRequestBytesMax * 9 / 10);
}

TEST(ViewBatch, MovingABatchKeepsItsEntries) {
  ViewBatch batch;
  for (int i = 0; i < 1'000; ++i) batch.Add(ViewOf("short" + std::to_string(i)));
  ViewBatch moved = std::move(batch);
  moved.Add(ViewOf("short999"));
  EXPECT_EQ(moved.entries(), 1'000u);
  EXPECT_EQ(moved.list()[999].count, 2u);
}

}  // namespace
}  // namespace viewcount::client
