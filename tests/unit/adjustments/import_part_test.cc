// The parts of an import count once, whatever is sent again, and also after a crash of the lane.
#include <gtest/gtest.h>

#include <optional>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/lane/lane.h"
#include "service/lane/recovery.h"
#include "service/lane/refold.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/adjustments/make_adjustment.h"

namespace viewcount {
namespace {

constexpr Window kAllTimeWindow{Window::Kind::kAllTime, 0};

// This fixture runs a lane on real files. The test itself calls the lane's steps.
class ImportPartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(sites_.Put(*MakeSite("demo", {})).ok());
    Start();
    lane_->ApplySite(site());
    lane_->Step();
  }

  // Starts the lane from its journal.
  void Start() {
    auto recovered = RecoverLane(source_, {.folder = folder_.path(), .lane = id_});
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    journal_ = std::move(recovered->journal);
    recovered->beginning.absent = ShardSet();
    ledger_ = std::make_unique<Ledger>(id_, std::move(recovered->beginning));
    lane_ = std::make_unique<Lane>(Lane::Dependencies{.disk = disk_,
                                                      .folder = folder_.path(),
                                                      .journal = *journal_,
                                                      .writers = std::move(recovered->writers),
                                                      .checkpoint = recovered->checkpoint,
                                                      .ledger = *ledger_,
                                                      .clock = clock_,
                                                      .metrics = metrics_});
  }

  // Ends the lane as a crash does, and starts it again.
  void Crash() {
    lane_.reset();
    ledger_.reset();
    journal_.reset();
    Start();
  }

  std::shared_ptr<const Site> site() const { return sites_.Find("demo"); }

  // Sends a part that adds `views` to the article "a".
  absl::Status Send(uint64_t sequence, uint32_t span, int64_t views, const std::string& description = "") {
    journal::v1::Adjustment message;
    message.set_adjustment_id(std::string(32, 'a'));
    message.set_site("demo");
    message.set_description(description);
    message.set_kind(journal::v1::ADJUSTMENT_KIND_IMPORT);
    auto* change = message.add_changes();
    change->set_article_id("a");
    *change->add_windows() = ChangeOf(kAllTimeWindow, views);
    message.mutable_import()->set_writer_id(std::string(16, 'w'));
    message.mutable_import()->set_sequence(sequence);
    message.mutable_import()->set_sequence_span(span);
    std::optional<absl::Status> answer;
    const auto submitted = std::make_shared<SubmittedAdjustment>();
    submitted->adjustment = MakeAdjustment(std::move(message));
    submitted->site = site()->index;
    submitted->done = [&answer](const absl::Status& status) { answer = status; };
    EXPECT_TRUE(lane_->Submit(submitted).ok());
    lane_->Step();
    return answer.value_or(absl::InternalError("no answer"));
  }

  // Returns everything that the journal counts for the article "a".
  int64_t Journaled() const {
    const auto folded = Refold(source_, {{Position{0}, journal_->end(), ShardSet::All()}});
    EXPECT_TRUE(folded.ok()) << folded.status();
    const Chunk& chunk = *folded->front().chunk;
    const Chunk::Article* article = chunk.Find(site()->index, ArticleHash(site()->seed, "a"), "a");
    return article == nullptr ? 0 : chunk.ViewsOf(*article, kAllTimeWindow);
  }

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

TEST_F(ImportPartTest, EachSequenceCountsOnce) {
  EXPECT_TRUE(Send(1, 1, 1).ok());
  EXPECT_TRUE(Send(2, 10, 100).ok());
  const absl::Status again = Send(2, 10, 100);
  EXPECT_EQ(ReasonOf(again), "DUPLICATE_SEQUENCE");
  EXPECT_EQ(MetadataOf(again, "last_sequence"), "11");
  EXPECT_EQ(ReasonOf(Send(5, 1, 100)), "DUPLICATE_SEQUENCE");
  const absl::Status gap = Send(13, 1, 100);
  EXPECT_EQ(ReasonOf(gap), "SEQUENCE_GAP");
  EXPECT_EQ(MetadataOf(gap, "expected_sequence"), "12");
  EXPECT_TRUE(Send(12, 1, 1'000).ok());
  EXPECT_EQ(Journaled(), 1'101);
}

TEST_F(ImportPartTest, AnUnknownImportBeginsWithItsFirstSequence) {
  EXPECT_EQ(ReasonOf(Send(2, 1, 1)), "UNKNOWN_WRITER");
  EXPECT_EQ(Journaled(), 0);
}

TEST_F(ImportPartTest, ACrashForgetsNothing) {
  EXPECT_TRUE(Send(1, 1, 1).ok());
  EXPECT_TRUE(Send(2, 10, 100).ok());
  Crash();
  EXPECT_EQ(ReasonOf(Send(2, 10, 100)), "DUPLICATE_SEQUENCE");
  EXPECT_TRUE(Send(12, 1, 1'000).ok());
  ASSERT_TRUE(lane_->WriteCheckpointNow().ok());
  Crash();
  EXPECT_EQ(ReasonOf(Send(12, 1, 1'000)), "DUPLICATE_SEQUENCE");
  EXPECT_TRUE(Send(13, 1, 10'000).ok());
  EXPECT_EQ(Journaled(), 11'101);
}

TEST_F(ImportPartTest, OnlyDescribedPartsLeaveANote) {
  EXPECT_TRUE(Send(1, 1, 1, "began to import").ok());
  EXPECT_TRUE(Send(2, 10, 100).ok());
  EXPECT_EQ(ledger_->PendingNotes(*site()).size(), 1U);
  EXPECT_EQ(Journaled(), 101);
}

TEST(ImportPart, ABrokenPartIsNoAdjustment) {
  journal::v1::Adjustment message;
  message.set_adjustment_id(std::string(32, 'a'));
  message.mutable_import()->set_writer_id("short");
  message.mutable_import()->set_sequence(1);
  message.mutable_import()->set_sequence_span(1);
  EXPECT_FALSE(ParseAdjustment(message.SerializeAsString()).ok());
  message.mutable_import()->set_writer_id(std::string(16, 'w'));
  EXPECT_TRUE(ParseAdjustment(message.SerializeAsString()).ok());
  message.mutable_import()->set_sequence(0);
  EXPECT_FALSE(ParseAdjustment(message.SerializeAsString()).ok());
}

}  // namespace
}  // namespace viewcount
