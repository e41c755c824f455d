// Tests the choice of the lane. All batches of one writer, and all of one viewer, go to the same lane.
#include "service/ingest/ingestor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "service/base/status.h"
#include "service/model/lane_choice.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/lane_rig.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

// This batch looks as a transport creates it.
class RawBatch final : public AnsweredBatch {
 public:
  explicit RawBatch(const v1::RecordViewsRequest& message) : text_(message.SerializeAsString()) { bytes = text_; }

 private:
  std::string text_;
};

// This fixture has three lanes without threads. Submitted batches stay queued until the test calls Step().
class IngestorTest : public ::testing::Test {
 protected:
  static constexpr size_t kLanes = 3;

  IngestorTest() {
    for (LaneRig& rig : rigs_) {
      rig.lane->ApplySite(rig.site);
      while (rig.lane->Step()) {
      }
    }
  }

  // Returns the number of the lane that receives the batch.
  size_t LaneOf(const v1::RecordViewsRequest& message, uint64_t previous_viewer = 0) {
    RawBatch batch(message);
    batch.previous_viewer = previous_viewer;
    const absl::Status status = ingestor_.Submit(&batch);
    EXPECT_TRUE(status.ok()) << status;
    size_t found = kLanes;
    for (size_t i = 0; i < kLanes; ++i) {
      if (rigs_[i].lane->queued_bytes() == 0) continue;
      EXPECT_EQ(found, kLanes) << "in two lanes";
      found = i;
      while (rigs_[i].lane->Step()) {
      }
    }
    EXPECT_TRUE(batch.answered());
    return found;
  }
  // Returns a request with one view by each of these viewers.
  static v1::RecordViewsRequest By(std::initializer_list<uint64_t> viewers) {
    v1::RecordViewsRequest message;
    message.set_site("demo");
    for (const uint64_t viewer : viewers) {
      v1::View& view = *message.add_views();
      view.set_article_id("a");
      view.set_viewer(viewer);
    }
    return message;
  }

  std::array<LaneRig, kLanes> rigs_;
  Metrics metrics_;
  Ingestor ingestor_{
      {rigs_[0].lane.get(), rigs_[1].lane.get(), rigs_[2].lane.get()}, rigs_[0].sites, rigs_[0].clock, metrics_};
};

TEST_F(IngestorTest, AViewersBatchesMeetTheSameLane) {
  std::mt19937_64 random(TestSeed());
  std::set<size_t> lanes;
  for (int i = 0; i < 30; ++i) {
    const uint64_t viewer = random() | 1;
    const size_t lane = LaneOf(By({viewer}));
    EXPECT_EQ(lane, LaneOfViewer(viewer, kLanes));
    EXPECT_EQ(LaneOf(By({viewer, random()})), lane) << "the first view's decides";
    lanes.insert(lane);
  }
  EXPECT_EQ(lanes.size(), kLanes);
}

TEST_F(IngestorTest, SoonAfterMidnightThatIsTheLaneOfTheDayBefore) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 30; ++i) {
    const uint64_t viewer = random() | 1, before = random() | 1;
    EXPECT_EQ(LaneOf(By({viewer}), before), LaneOf(By({before})));
  }
}

TEST_F(IngestorTest, BatchesOfNobodyGoToAllLanesInTurn) {
  std::array<int, kLanes> batches{};
  for (size_t i = 0; i < 10 * kLanes; ++i) ++batches.at(LaneOf(By({0, 7})));
  EXPECT_EQ(std::count(batches.begin(), batches.end(), 10), static_cast<ptrdiff_t>(kLanes));
}

TEST_F(IngestorTest, AddressesBecomeArticlesBeforeTheyAreJournaled) {
  v1::RecordViewsRequest message;
  message.set_site("demo");
  message.add_views()->set_article_id("/verbatim?utm_source=x");
  message.add_views()->set_address("https://a.example/t%E1%BB%A9c?id=3&utm_source=x#c");
  v1::View& excluded = *message.add_views();
  excluded.set_address("/wp-login.php");
  excluded.set_count(7);
  message.add_views()->set_canonical_address("/a?b=1");
  RawBatch batch(message);
  ASSERT_TRUE(ingestor_.Submit(&batch).ok());
  std::vector<std::string> articles;
  for (const DecodedView& view : batch.request.views) articles.emplace_back(view.article_id);
  EXPECT_EQ(articles, (std::vector<std::string>{"/verbatim?utm_source=x", "/tức?id=3", "/a?b=1"}));
  EXPECT_EQ(metrics_.Rejected(RejectReason::kExcludedPath).Value(), 7);
  EXPECT_EQ(metrics_.views_received.Value(), 10);
  for (LaneRig& rig : rigs_) {
    while (rig.lane->Step()) {
    }
  }
  EXPECT_TRUE(batch.answered());
}

TEST_F(IngestorTest, AnAddressThatNamesNoArticleIsRefused) {
  const auto refusal = [this](const v1::RecordViewsRequest& message) {
    RawBatch batch(message);
    return ingestor_.Submit(&batch);
  };
  v1::RecordViewsRequest message = By({0});
  message.add_views()->set_address("a");
  EXPECT_EQ(FieldOf(refusal(message)), "views[1].address");
  message.mutable_views(1)->set_address("/a");
  message.mutable_views(1)->set_article_id("a");
  EXPECT_EQ(FieldOf(refusal(message)), "views[1].address");
  message.mutable_views(1)->clear_article_id();
  message.mutable_views(1)->set_canonical_address("/a");
  EXPECT_EQ(FieldOf(refusal(message)), "views[1].canonical_address");
  message.mutable_views(1)->clear_canonical_address();
  message.set_site("other");
  EXPECT_TRUE(absl::IsNotFound(refusal(message)));
}

TEST_F(IngestorTest, AWriterDecidesBeforeAViewer) {
  for (int i = 0; i < 10; ++i) {
    const auto writer = RandomId<WriterId>();
    v1::RecordViewsRequest message = By({1});
    message.set_writer_id(std::string(writer.bytes.begin(), writer.bytes.end()));
    for (uint64_t sequence = 1; sequence < 4; ++sequence) {
      message.set_sequence(sequence);
      message.mutable_views(0)->set_viewer(sequence);
      EXPECT_EQ(LaneOf(message, sequence), LaneOfWriter(writer, kLanes));
    }
  }
}

}  // namespace
}  // namespace viewcount
