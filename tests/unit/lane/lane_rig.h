// Runs a lane on a disk in memory whose syncs can be blocked. The lane runs with or without its thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/journal/journal_reader.h"
#include "service/lane/lane.h"
#include "service/lane/recovery.h"
#include "tests/support/gated_disk.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_disk.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {

// The rig is not thread-safe and is used by the test's thread only. `lane` may have its own thread.
class LaneRig {
 public:
  struct Options {
    uint64_t segment_bytes = 16 << 20;
    uint64_t budget_bytes = uint64_t{1} << 30;
    std::chrono::milliseconds retention = limits::kJournalRetention;
    std::function<void(const absl::Status&)> failed = {};
    // If true, a flusher determines the cursors of the shards. Otherwise all shards are at the journal's end.
    bool has_flusher = false;
  };
  LaneRig() : LaneRig(Options()) {}
  explicit LaneRig(Options options) : options_(std::move(options)) {
    EXPECT_TRUE(disk.MakeFolder(kFolder).ok());
    Recover();
  }
  ~LaneRig() { gate.Open(); }

  // Discards everything that a process keeps in memory.
  void Kill() {
    lane.reset();
    ledger.reset();
    journal.reset();
  }
  // Recovers the lane as a start does.
  void Recover() {
    Kill();
    auto recovered = TryRecover();
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    journal = std::move(recovered->journal);
    if (!options_.has_flusher) recovered->beginning.absent = {};
    ledger = std::make_unique<Ledger>(kLane, std::move(recovered->beginning));
    lane = std::make_unique<Lane>(Lane::Dependencies{.disk = gate,
                                                     .folder = kFolder,
                                                     .journal = *journal,
                                                     .writers = std::move(recovered->writers),
                                                     .visits = std::move(recovered->visits),
                                                     .cool_downs = std::move(recovered->cool_downs),
                                                     .checkpoint = recovered->checkpoint,
                                                     .ledger = *ledger,
                                                     .clock = clock,
                                                     .metrics = metrics,
                                                     .failed = options_.failed});
  }
  absl::StatusOr<RecoveredLane> TryRecover() {
    return RecoverLane(source, JournalWriter::Options{.folder = kFolder,
                                                      .lane = kLane,
                                                      .segment_bytes = options_.segment_bytes,
                                                      .budget_bytes = options_.budget_bytes,
                                                      .retention = options_.retention});
  }

  uint64_t Pending(const std::string& id, Window window = {}) {
    return ledger->Lock().Pending(Cursor(), *site, ArticleHash(site->seed, id), id, window);
  }
  // Returns the number of batches in the journal.
  size_t Journaled() {
    auto reader = JournalReader::Open(disk, kFolder, kLane, journal->begin(), journal->end());
    EXPECT_TRUE(reader.ok()) << reader.status();
    size_t batches = 0;
    Record record;
    while (true) {
      const auto more = reader->Next(record);
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.ok() || !*more) return batches;
      batches += record.type == RecordType::kViews;
    }
  }
  // Acts like a flusher with a store that accepts everything.
  void Flush() {
    while (true) {
      const SealedChunk sealed = ledger->Next();
      if (sealed.chunk == nullptr) break;
      sealed.shards.ForEach([&](Shard shard) { ledger->SetCursor(shard, Cursor::End(sealed.chunk->to())); });
      ledger->Release(*sealed.chunk);
    }
    lane->AnswerStored();
  }

  static constexpr char kFolder[] = "/lane";
  static constexpr LaneId kLane{{1, 2, 3}};

 private:
  const Options options_;

 public:
  ManualClock clock;
  Metrics metrics;
  MemoryDisk disk;
  GatedDisk gate{disk};
  SiteDirectory sites;
  JournalSource source{gate, kFolder, kLane, sites, clock};
  const std::shared_ptr<const Site> site = [this] {
    EXPECT_TRUE(sites.Put(*MakeSite("demo", {})).ok());
    return sites.Find("demo");
  }();
  std::unique_ptr<JournalWriter> journal;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Lane> lane;
};

}  // namespace viewcount
