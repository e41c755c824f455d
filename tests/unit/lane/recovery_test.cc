// A lane is killed at any point. It must continue as if it had not been killed, with its dedupe table, its settings and
// its totals.
#include "service/lane/recovery.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "service/base/status.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/lane_rig.h"

namespace viewcount {
namespace {

struct WriteFailed {};

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() { ApplySite(); }

  uint64_t Roll(uint64_t sides) { return random_() % sides; }
  void ApplySite() {
    rig_.lane->ApplySite(rig_.site);
    (void)rig_.lane->Step();
  }
  struct Sent {
    WriterId writer;
    uint64_t sequence = 0;
    uint32_t span = 1;
    bool import = false;
    std::vector<std::pair<std::string, uint32_t>> views;
  };
  Sent NewBatch(uint64_t number) {
    Sent sent;
    sent.writer.bytes[0] = static_cast<uint8_t>(1 + number);
    sent.import = number % 3 == 0;
    sent.sequence = last_sequences_[number] + 1;
    sent.span = static_cast<uint32_t>(1 + Roll(4));
    for (size_t n = 1 + Roll(60); n > 0; --n) {
      sent.views.emplace_back("/story/" + std::to_string(Roll(300)), static_cast<uint32_t>(1 + Roll(3)));
    }
    return sent;
  }
  AnsweredBatch::Answer Send(const Sent& sent) {
    v1::RecordViewsRequest message;
    message.set_writer_id(std::string(sent.writer.bytes.begin(), sent.writer.bytes.end()));
    message.set_sequence(sent.sequence);
    message.set_sequence_span(sent.span);
    message.set_import(sent.import);
    for (const auto& [id, count] : sent.views) {
      auto* view = message.add_views();
      view->set_article_id(id);
      view->set_count(count);
    }
    EncodedBatch batch(*rig_.site, std::move(message), rig_.clock.UnixMillis(), rig_.clock.Now());
    const auto status = rig_.lane->Submit(&batch);
    if (!status.ok()) return {status, {}};
    (void)rig_.lane->Step();
    return batch.Wait();
  }
  void NoteTaken(uint64_t number, const Sent& sent) {
    last_sequences_[number] = sent.sequence + sent.span - 1;
    for (const auto& [id, count] : sent.views) {
      journaled_[ShardOf(ArticleHash(rig_.site->seed, id)).value] += count;
    }
    last_[number] = sent;
  }
  // Check() compares the totals with the accepted batches. CheckDedupe() checks that the last batch of every writer is
  // known.
  void Check() {
    const auto still = rig_.ledger->Lock();
    for (uint8_t i = 0; i < limits::kShards; ++i) ASSERT_EQ(still.Journaled(Shard{i}), journaled_[i]) << int{i};
  }
  void CheckDedupe() {
    for (const auto& [number, sent] : last_) {
      const auto answer = Send(sent);
      ASSERT_TRUE(answer.status.ok()) << answer.status;
      ASSERT_TRUE(answer.result.duplicate) << "writer " << number;
      ASSERT_EQ(answer.result.last_sequence, last_sequences_[number]);
    }
  }
  void Maintain() {
    rig_.Flush();
    rig_.lane->Maintain();
    rig_.clock.Advance(std::chrono::milliseconds(10));
    rig_.lane->Maintain();
  }

  std::mt19937_64 random_{TestSeed()};
  LaneRig rig_{{.segment_bytes = 16 << 10,
                .retention = std::chrono::milliseconds(1),
                .failed = [](const absl::Status&) { throw WriteFailed(); }}};
  std::map<uint64_t, uint64_t> last_sequences_;
  std::map<uint64_t, Sent> last_;
  ShardViews journaled_{};
};

TEST_F(RecoveryTest, AnEmptyFolderGivesANewLane) {
  MemoryDisk disk;
  ASSERT_TRUE(disk.MakeFolder("/new").ok());
  const LaneId lane{{9}};
  const JournalSource source{disk, "/new", lane, rig_.sites, rig_.clock};
  const auto recovered = RecoverLane(source, {.folder = "/new", .lane = lane});
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->writers.size(), 0u);
  EXPECT_EQ(recovered->checkpoint, Position{0});
  EXPECT_EQ(recovered->beginning.end, Position{0});
  EXPECT_EQ(recovered->beginning.absent, ShardSet::All());
  EXPECT_EQ(recovered->beginning.journaled, ShardViews());
}

TEST_F(RecoveryTest, SettingsComeBackAndUnknownSitesAreAdded) {
  Site moved = *MakeSite("demo", {"Asia/Ho_Chi_Minh", {"https://a.example"}});
  moved.index = rig_.site->index;
  rig_.lane->ApplySite(std::make_shared<const Site>(moved));
  (void)rig_.lane->Step();
  rig_.Recover();
  ASSERT_NE(rig_.ledger->FindSite(rig_.site->index), nullptr);
  EXPECT_EQ(rig_.ledger->FindSite(rig_.site->index)->settings.time_zone, "Asia/Ho_Chi_Minh");
  // Recovers as a process does that has not reached the store yet.
  rig_.Kill();
  SiteDirectory empty;
  const JournalSource source{rig_.disk, LaneRig::kFolder, LaneRig::kLane, empty, rig_.clock};
  const auto recovered = RecoverLane(source, {.folder = LaneRig::kFolder, .lane = LaneRig::kLane});
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  const auto added = empty.Find("demo");
  ASSERT_NE(added, nullptr);
  EXPECT_EQ(recovered->beginning.folding.Find(added->index)->settings.time_zone, "Asia/Ho_Chi_Minh");
}

// Redis is empty, for example. Then the last settings in the journal are those that every lane gets again.
TEST_F(RecoveryTest, OfSitesThatOnlyTheJournalKnowsTheLastSettingsCount) {
  const Site kChanges[] = {*MakeSite("demo", {"Asia/Tokyo", {"https://a.example"}}),
                           *MakeSite("demo", {"Asia/Tokyo", {"https://a.example", "https://b.example"}}),
                           *MakeSite("demo", {"Asia/Kolkata", {"https://b.example"}})};
  for (const Site& change : kChanges) {
    Site moved = change;
    moved.index = rig_.site->index;
    rig_.lane->ApplySite(std::make_shared<const Site>(moved));
    (void)rig_.lane->Step();
  }
  rig_.Kill();
  SiteDirectory empty;
  const JournalSource source{rig_.disk, LaneRig::kFolder, LaneRig::kLane, empty, rig_.clock};
  const auto recovered = RecoverLane(source, {.folder = LaneRig::kFolder, .lane = LaneRig::kLane});
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  const auto added = empty.Find("demo");
  ASSERT_NE(added, nullptr);
  EXPECT_EQ(added->settings.time_zone, "Asia/Kolkata");
  EXPECT_EQ(added->settings.allowed_origins, kChanges[2].settings.allowed_origins);
  EXPECT_EQ(recovered->beginning.folding.Find(added->index)->settings.allowed_origins,
            kChanges[2].settings.allowed_origins);
}

TEST_F(RecoveryTest, WhatTheDirectoryKnowsIsNotChangedByTheJournal) {
  Site moved = *MakeSite("demo", {"Asia/Tokyo", {"https://a.example"}});
  moved.index = rig_.site->index;
  rig_.lane->ApplySite(std::make_shared<const Site>(moved));
  (void)rig_.lane->Step();
  ASSERT_TRUE(rig_.sites.Put(*MakeSite("demo", {"Asia/Kolkata", {"https://b.example"}})).ok());
  rig_.Recover();
  EXPECT_EQ(rig_.sites.Find("demo")->settings.time_zone, "Asia/Kolkata");
  EXPECT_TRUE(rig_.sites.Find("demo")->Allows("https://b.example"));
  EXPECT_FALSE(rig_.sites.Find("demo")->Allows("https://a.example"));
}

TEST_F(RecoveryTest, AChangeOfOriginsDisturbsNoFolding) {
  Window day{Window::Kind::kDay, 0};
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    Site changed = *MakeSite("demo", {"", {"https://a" + std::to_string(sequence) + ".example"}});
    changed.index = rig_.site->index;
    const Position before = rig_.ledger->totals().position;
    rig_.lane->ApplySite(std::make_shared<const Site>(changed));
    (void)rig_.lane->Step();
    EXPECT_GT(rig_.ledger->totals().position, before) << "it is in the journal";
    EXPECT_EQ(rig_.ledger->FindSite(rig_.site->index)->settings.allowed_origins, changed.settings.allowed_origins);
    TestBatch batch({"a"});
    day.number = SiteCalendar(changed.zone).SlotOf(batch.request.views[0].event_time_unix_ms).day;
    ASSERT_TRUE(rig_.lane->Submit(&batch.From(WriterId{{7}}, sequence)).ok());
    EXPECT_TRUE(rig_.lane->Step());
    ASSERT_TRUE(batch.Wait().status.ok());
    EXPECT_EQ(rig_.Pending("a"), sequence);
    EXPECT_EQ(rig_.Pending("a", day), sequence);
  }
}

TEST_F(RecoveryTest, VisitsGoOnAndAreNeverDecidedAnew) {
  const auto view = [&](uint64_t viewer) {
    v1::RecordViewsRequest message;
    auto* added = message.add_views();
    added->set_article_id("a");
    added->set_viewer(viewer);
    EncodedBatch batch(*rig_.site, std::move(message), rig_.clock.UnixMillis(), rig_.clock.Now());
    EXPECT_TRUE(rig_.lane->Submit(&batch).ok());
    (void)rig_.lane->Step();
    EXPECT_TRUE(batch.Wait().status.ok());
  };
  const Window visits{Window::Kind::kVisits, 0};
  const auto pending = [&] { return rig_.Pending("", visits); };
  view(1);
  view(1);
  view(2);
  EXPECT_EQ(pending(), 2u);
  for (const bool checkpoint : {false, true}) {
    if (checkpoint) {
      ASSERT_TRUE(rig_.lane->WriteCheckpointNow().ok());
    }
    rig_.Recover();
    ApplySite();
    // Refolding must repeat the decisions that were journaled, although all of these viewers are known by now.
    const auto refolded = Refold(rig_.source, PlanRefold(ShardSet::All(), ShardCursors(), rig_.journal->end()));
    ASSERT_TRUE(refolded.ok()) << refolded.status();
    const uint64_t hash = ArticleHash(rig_.site->seed, "");
    const Chunk& chunk = *refolded->front().chunk;
    const Chunk::Article* site = chunk.Find(rig_.site->index, hash, "");
    ASSERT_NE(site, nullptr);
    EXPECT_EQ(chunk.ViewsOf(*site, visits), checkpoint ? 3 : 2);
    rig_.clock.Advance(std::chrono::minutes(20));
    view(1);
    view(checkpoint ? 2 : 3);
    // The new visit belongs to viewer 3 in the first round. In the second round viewer 2 has been silent for forty
    // minutes.
    EXPECT_EQ(pending(), 1u) << checkpoint;
  }
}

TEST_F(RecoveryTest, ABrokenCheckpointIsRefused) {
  ASSERT_TRUE(rig_.lane->WriteCheckpointNow().ok());
  rig_.Kill();
  const auto names = *rig_.disk.List(LaneRig::kFolder);
  for (const std::string& name : names) {
    if (name.ends_with(".writers")) rig_.disk.FlipBit(std::string(LaneRig::kFolder) + "/" + name, 3, 1);
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(rig_.TryRecover().status()));
}

TEST_F(RecoveryTest, KilledAtAnyPointNothingIsForgottenOrTakenTwice) {
  int kills = 0;
  Position begin;
  for (int step = 0; step < 3'000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const uint64_t number = Roll(12);
    const uint64_t rolled = Roll(40);
    if (rolled < 30) {
      const Sent sent = NewBatch(number);
      const auto answer = Send(sent);
      ASSERT_TRUE(answer.status.ok()) << answer.status;
      ASSERT_FALSE(answer.result.duplicate);
      NoteTaken(number, sent);
    } else if (rolled < 35) {
      Maintain();
      begin = std::max(begin, rig_.journal->begin());
    } else if (rolled < 37) {
      ++kills;
      rig_.Kill();
      if (Roll(2) == 0) rig_.disk.Crash(random_);
      ASSERT_NO_FATAL_FAILURE(rig_.Recover());
      ASSERT_NO_FATAL_FAILURE(CheckDedupe());
    } else if (rolled == 37) {
      // The lane is killed within a sync. Only sending the batch again shows whether the journal holds it.
      ++kills;
      const Sent sent = NewBatch(number);
      rig_.gate.Fail(absl::InternalError("killed"));
      ASSERT_THROW((void)Send(sent), WriteFailed);
      rig_.gate.Fail(absl::OkStatus());
      rig_.Kill();
      rig_.disk.Crash(random_);
      ASSERT_NO_FATAL_FAILURE(rig_.Recover());
      const auto answer = Send(sent);
      ASSERT_TRUE(answer.status.ok()) << answer.status;
      ASSERT_EQ(answer.result.last_sequence, sent.sequence + sent.span - 1);
      NoteTaken(number, sent);
    } else {
      ASSERT_NO_FATAL_FAILURE(CheckDedupe());
    }
    ASSERT_NO_FATAL_FAILURE(Check());
  }
  EXPECT_GT(kills, 50);
  EXPECT_GT(begin, Position{0}) << "no segment ever went: the checkpoints were not tried";
}

}  // namespace
}  // namespace viewcount
