// A journal of views, adjustments and changing aliases must give the same counts every time it is folded.
#include "service/lane/refold.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "service/base/hash.h"
#include "service/lane/lane.h"
#include "service/lane/recovery.h"
#include "service/model/decoder.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/adjustments/make_adjustment.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

constexpr int kArticles = 40;

class WholeBatch final : public Batch {
 public:
  WholeBatch(const Site& of, std::mt19937_64& random) {
    v1::RecordViewsRequest message;
    message.set_site(of.name);
    message.set_import(true);
    for (int i = 0; i < 20; ++i) {
      auto* view = message.add_views();
      view->set_article_id(std::to_string(random() % kArticles));
      view->set_count(static_cast<uint32_t>(1 + random() % 9));
      view->set_bot(random() % 5 == 0);
      view->set_event_time_unix_ms(static_cast<int64_t>(1'750'000'000'000 + random() % 200'000'000));
    }
    text_ = message.SerializeAsString();
    bytes = text_;
    site = of.index;
    receipt_unix_ms = 1'760'000'000'000;
    EXPECT_TRUE(DecodeViewsRequest(bytes, receipt_unix_ms, request).ok());
  }
  void Done(const absl::Status& status, const IngestResult&) override { EXPECT_TRUE(status.ok()) << status; }

 private:
  std::string text_;
};

// This fixture runs a lane on real files. The test itself calls the lane's steps.
class RefoldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto recovered = RecoverLane(source_, {.folder = folder_.path(), .lane = id_});
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    journal_ = std::move(recovered->journal);
    ledger_ = std::make_unique<Ledger>(id_);
    lane_ = std::make_unique<Lane>(Lane::Dependencies{.disk = disk_,
                                                      .folder = folder_.path(),
                                                      .journal = *journal_,
                                                      .writers = std::move(recovered->writers),
                                                      .checkpoint = recovered->checkpoint,
                                                      .ledger = *ledger_,
                                                      .clock = clock_,
                                                      .metrics = metrics_});
    ASSERT_TRUE(sites_.Put(*MakeSite("demo", {})).ok());
    lane_->ApplySite(site());
    lane_->Step();
  }
  std::shared_ptr<const Site> site() const { return sites_.Find("demo"); }
  void RecordSome() {
    WholeBatch batch(*site(), random_);
    ASSERT_TRUE(lane_->Submit(&batch).ok());
    lane_->Step();
  }
  void AdjustSome(int64_t unix_ms) {
    std::vector<TestChange> changes;
    for (int i = 0; i < 5; ++i) {
      const auto kind = static_cast<Window::Kind>(random_() % 4);
      changes.push_back({std::to_string(random_() % kArticles),
                         {kind, kind == Window::Kind::kDay ? 20250615U : 0U},
                         static_cast<int64_t>(random_() % 100) - 50});
    }
    bool done = false;
    const auto submitted = std::make_shared<SubmittedAdjustment>();
    submitted->adjustment = TestAdjustment(unix_ms, changes);
    submitted->site = site()->index;
    submitted->done = [&done](const absl::Status& status) { done = status.ok(); };
    ASSERT_TRUE(lane_->Submit(submitted).ok());
    lane_->Step();
    EXPECT_TRUE(done);
  }
  void MergeSome(int64_t unix_ms) {
    Site changed = *site();
    const bool ends = random_() % 4 == 0;
    const AliasEntries entries = {
        {std::to_string(random_() % kArticles), {ends ? "" : std::to_string(random_() % kArticles), unix_ms}}};
    changed.SetAliases(entries);
    ASSERT_TRUE(sites_.Put(std::move(changed)).ok());
    lane_->ApplySite(site());
    lane_->Step();
  }

  std::mt19937_64 random_{TestSeed()};
  const SystemClock clock_;
  Metrics metrics_;
  TemporaryDirectory folder_;
  PosixDisk disk_;
  SiteDirectory sites_;
  const LaneId id_ = RandomId<LaneId>();
  const JournalSource source_{disk_, folder_.path(), id_, sites_, clock_};
  std::unique_ptr<JournalWriter> journal_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Lane> lane_;
};

TEST_F(RefoldTest, FoldedAgainEveryCountIsTheSame) {
  for (int i = 0; i < 200; ++i) {
    RecordSome();
    if (random_() % 4 == 0) AdjustSome(i);
    if (random_() % 6 == 0) MergeSome(i);
  }
  const Position end = journal_->end();
  const auto again = Refold(source_, {{Position{0}, end, ShardSet::All()}});
  ASSERT_TRUE(again.ok()) << again.status();
  const Chunk& chunk = *again->front().chunk;
  std::set<Window> windows;
  chunk.AddWindows(site()->index, windows);
  windows.insert({{Window::Kind::kAllTime, 0}, {Window::Kind::kBots, 0}});
  EXPECT_GT(windows.size(), 10u);
  for (int i = 0; i < kArticles; ++i) {
    const std::string id = std::to_string(i);
    const uint64_t hash = ArticleHash(site()->seed, id);
    const Chunk::Article* article = chunk.Find(site()->index, hash, id);
    for (const Window window : windows) {
      const int64_t before = ledger_->Lock().Pending(Cursor(), *site(), hash, id, window);
      EXPECT_EQ(article == nullptr ? 0 : chunk.ViewsOf(*article, window), before) << id;
    }
  }
  const auto notes = ledger_->PendingNotes(*site());
  const Chunk::Article* of_site = chunk.Find(site()->index, ArticleHash(site()->seed, ""), "");
  ASSERT_NE(of_site, nullptr);
  ASSERT_EQ(chunk.AdjustedOf(*of_site)->notes.size(), notes.size());
  for (size_t i = 0; i < notes.size(); ++i) EXPECT_EQ(chunk.AdjustedOf(*of_site)->notes[i].text, notes[i].text);
  EXPECT_EQ(chunk.shard_views(), ledger_->journaled());
}

TEST_F(RefoldTest, ARecoveredLaneKnowsItsAliasesAndWhatItJournaled) {
  for (int i = 0; i < 50; ++i) {
    RecordSome();
    if (random_() % 3 == 0) MergeSome(i);
    if (random_() % 3 == 0) AdjustSome(i);
  }
  const ShardViews journaled = ledger_->journaled();
  lane_.reset();
  journal_.reset();
  SiteDirectory other;
  const JournalSource source{disk_, folder_.path(), id_, other, clock_};
  auto recovered = RecoverLane(source, {.folder = folder_.path(), .lane = id_});
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->beginning.journaled, journaled);
  EXPECT_EQ(other.Find("demo")->alias_entries(), site()->alias_entries());
}

}  // namespace
}  // namespace viewcount
