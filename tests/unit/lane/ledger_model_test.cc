// Compares the ledger with a plain list of folded batches and one cursor per shard. The pending views must be exactly
// those after the cursor, in every order of lane and flusher.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/lane/ledger.h"
#include "service/lane/refold.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

constexpr Window kWindows[] = {
    kAll, kBots, {Window::Kind::kDay, 20261122}, {Window::Kind::kDay, 20261123}, {Window::Kind::kHour, 498'719}};
constexpr uint32_t kFirstHour = 498'718;
constexpr Position kNowhere{~uint64_t{0}};
// This many records are kept, so that a shard can be set back before them.
constexpr size_t kRemembered = 60;

class ModelledLedger {
 public:
  explicit ModelledLedger(uint64_t seed) : random_(seed) {
    for (const auto& site : sites_) ledger_.ApplySite(site);
    ledger_.NotifySealed([this] { ++told_; });
  }

  // Folds a batch that is not durable yet.
  void Fold() {
    const auto& site = sites_[Roll(2)];
    std::vector<std::string> ids;
    for (size_t n = 1 + Roll(20); n > 0; --n) ids.push_back("story " + std::to_string(Roll(150)));
    TestBatch batch(ids);
    batch.site = site->index;
    FoldedBatch folded{.site = site, .end = kNowhere, .views = {}};
    for (DecodedView& view : batch.request.views) {
      const auto hour = static_cast<uint32_t>(kFirstHour + Roll(4));
      view.event_time_unix_ms = int64_t{hour} * 3'600'000;
      view.count = static_cast<uint32_t>(1 + Roll(5));
      view.bot = Roll(5) == 0;
      const uint64_t hash = ArticleHash(site->seed, view.article_id);
      folded.views.push_back({std::string(view.article_id), hash, hour, view.count, view.bot});
      journaled_[ShardOf(hash).value] += view.count;
    }
    log_.push_back(std::move(folded));
    unsettled_ = true;
    ledger_.Fold(batch);
  }

  // Makes all folded batches durable.
  void MarkDurable() {
    if (!unsettled_) return;
    position_.value += 1 + Roll(1'000);
    for (FoldedBatch& batch : log_) {
      if (batch.end == kNowhere) batch.end = position_;
    }
    unsettled_ = false;
    const int told = told_;
    ledger_.MarkDurable(position_);
    ASSERT_EQ(told_ - told, seal_wanted_ ? 1 : 0);
    if (std::exchange(seal_wanted_, false)) open_from_ = position_;
  }

  // Applies some articles of a shard to the store. When the last shard of a chunk is finished, the chunk is released.
  void Apply() {
    const SealedChunk sealed = Next();
    if (sealed.chunk == nullptr) return;
    std::vector<Shard> unfinished;
    sealed.shards.ForEach([&](Shard shard) {
      if (cursors_[shard.value].applied_to() < sealed.chunk->to()) unfinished.push_back(shard);
    });
    // Shards without views in this chunk are finished quickly, so that chunks end.
    for (size_t n = 1 + Roll(12); n > 0 && !unfinished.empty(); --n) {
      const size_t at = Roll(unfinished.size());
      if (ApplySome(*sealed.chunk, unfinished[at])) unfinished.erase(unfinished.begin() + static_cast<ptrdiff_t>(at));
    }
    if (unfinished.empty()) ledger_.Release(*sealed.chunk);
  }

  // Sets some shards back to an earlier cursor, and folds their lost views again.
  void Rewind() {
    ShardSet shards;
    for (size_t n = 1 + Roll(limits::kShards); n > 0; --n) {
      shards.Add(Shard{static_cast<uint8_t>(Roll(limits::kShards))});
    }
    const Position end = ledger_.Withdraw(shards);
    ASSERT_EQ(end, open_from_);
    seal_wanted_ = false;
    ASSERT_EQ(ledger_.totals().absent, shards);
    ASSERT_EQ(ledger_.totals().flushed, Position{0});
    shards.ForEach([&](Shard shard) {
      EXPECT_FALSE(ledger_.Fits(shard, cursors_[shard.value]));
      if (Roll(3) != 0) cursors_[shard.value] = Earlier(shard);
    });
    ASSERT_FALSE(ledger_.ForEachPending(ledger_.TakeSnapshot(), cursors_, *sites_[0], kAll, [](auto...) {}));
    // The lane continues meanwhile.
    if (Roll(2) == 0) Fold();
    if (Roll(2) == 0) MarkDurable();
    std::vector<SealedChunk> chunks;
    for (const RefoldTarget& target : PlanRefold(shards, cursors_, end)) chunks.push_back(FoldAgain(target));
    ledger_.Restore(std::move(chunks));
    shards.ForEach([&](Shard shard) { ledger_.SetCursor(shard, cursors_[shard.value]); });
  }

  void Check() {
    // Maps site and window, and then the article ID, to views.
    std::map<std::pair<const Site*, Window>, std::map<std::string, uint64_t>> expected;
    ShardViews pending{};
    uint64_t coarse = 0;
    for (const FoldedBatch& batch : log_) {
      for (const FoldedView& view : batch.views) {
        const Shard shard = ShardOf(view.hash);
        const Cursor& cursor = cursors_[shard.value];
        if (cursor.applied_to() < batch.end) coarse += view.count;
        if (cursor.Covers(EndOfChunk(cursor, batch.end), {batch.site->name, view.id})) continue;
        pending[shard.value] += view.count;
        for (const Window window : kWindows) {
          if (Counts(view, window)) expected[{batch.site.get(), window}][view.id] += view.count;
        }
      }
    }
    for (const auto& site : sites_) {
      for (const Window window : kWindows) CheckWindow(*site, window, expected[{site.get(), window}]);
    }
    const auto still = ledger_.Lock();
    for (uint8_t i = 0; i < limits::kShards; ++i) {
      ASSERT_EQ(still.CursorOf(Shard{i}), cursors_[i]);
      ASSERT_EQ(still.Pending(Shard{i}), pending[i]) << "shard " << int{i};
      ASSERT_EQ(still.Journaled(Shard{i}), journaled_[i]) << "shard " << int{i};
    }
    pending_views_ = coarse;
  }

  void CheckTotals() {
    const Ledger::Totals totals = ledger_.totals();
    ASSERT_EQ(totals.position, position_);
    ASSERT_TRUE(totals.absent.empty());
    // The views of a chunk are pending until their shard has applied the whole chunk.
    ASSERT_EQ(totals.pending_views, pending_views_);
    Position flushed = open_from_;
    for (const SealedChunk& sealed : ledger_.TakeSnapshot().sealed) flushed = std::min(flushed, sealed.chunk->from());
    ASSERT_EQ(totals.flushed, flushed);
    for (const Cursor& cursor : cursors_) ASSERT_GE(cursor.applied_to(), flushed);
    if (!unsettled_) {
      ASSERT_EQ(ledger_.journaled(), journaled_);
    }
  }

  // Forgets the oldest records that all shards have applied. No shard can be set back before `begin_`.
  void Trim() {
    Position applied = open_from_;
    for (const Cursor& cursor : cursors_) applied = std::min(applied, cursor.applied_to());
    while (log_.size() > kRemembered && log_.front().end <= applied) {
      begin_ = log_.front().end;
      log_.pop_front();
    }
  }

  uint64_t Roll(uint64_t sides) { return random_() % sides; }

 private:
  struct FoldedView {
    std::string id;
    uint64_t hash = 0;
    uint32_t hour = 0;
    uint32_t count = 0;
    bool bot = false;
  };
  struct FoldedBatch {
    std::shared_ptr<const Site> site;
    // It is kNowhere until the batch is durable.
    Position end;
    std::vector<FoldedView> views;
  };

  static uint32_t DayOf(const FoldedView& view) { return view.hour < 498'720 ? 20261122 : 20261123; }
  static bool Counts(const FoldedView& view, Window window) {
    switch (window.kind) {
      case Window::Kind::kAllTime:
        return !view.bot;
      case Window::Kind::kBots:
        return view.bot;
      case Window::Kind::kDay:
        return !view.bot && DayOf(view) == window.number;
      case Window::Kind::kHour:
        return !view.bot && view.hour == window.number;
      case Window::Kind::kVisits:
      case Window::Kind::kVisitDay:
      case Window::Kind::kViewers:
        break;
    }
    return false;
  }
  // Returns the end of the chunk that holds a record. It differs from `record_end` only if the cursor is in the middle
  // of that chunk.
  static Position EndOfChunk(const Cursor& cursor, Position record_end) {
    return cursor.in_middle() && record_end > cursor.from() && record_end <= cursor.to() ? cursor.to() : record_end;
  }

  SealedChunk Next() {
    const bool before = ledger_.TakeSnapshot().sealed.empty();
    const SealedChunk sealed = ledger_.Next();
    const bool has_open = position_ > open_from_;
    if (before && has_open && unsettled_) {
      EXPECT_EQ(sealed.chunk, nullptr) << "sealed what is not durable";
      seal_wanted_ = true;
    } else if (before && has_open) {
      EXPECT_EQ(sealed.chunk->from(), open_from_);
      EXPECT_EQ(sealed.chunk->to(), position_);
      EXPECT_EQ(sealed.shards, ShardSet::All());
      open_from_ = position_;
    } else {
      EXPECT_EQ(sealed.chunk == nullptr, before);
    }
    return sealed;
  }

  // Returns true if the shard is finished.
  bool ApplySome(const Chunk& chunk, Shard shard) {
    Cursor& cursor = cursors_[shard.value];
    std::vector<ArticleKey> left;
    for (const Chunk::Article& article : chunk.articles()) {
      const ArticleKey key{sites_[article.site.value]->name, article.id};
      if (ShardOf(article.hash) == shard && !cursor.Covers(chunk.to(), key)) left.push_back(key);
    }
    std::sort(left.begin(), left.end());
    const size_t applied = Roll(left.size() + 1);
    cursor = applied == left.size() ? Cursor::End(chunk.to())
                                    : Cursor::Middle(chunk.from(), chunk.to(), left[applied], chunk.to());
    if (cursor.in_middle() && applied + 1 == left.size()) cursor = Cursor::End(chunk.to());
    ledger_.SetCursor(shard, cursor);
    return !cursor.in_middle();
  }

  // Returns a cursor at or before the shard's cursor. A chunk may have begun, ended or been cut at that position.
  Cursor Earlier(Shard shard) {
    const Position reached = cursors_[shard.value].applied_to();
    std::vector<Position> boundaries = {begin_};
    for (const FoldedBatch& batch : log_) {
      if (batch.end <= reached && batch.end > boundaries.back()) boundaries.push_back(batch.end);
    }
    const size_t from = Roll(boundaries.size());
    if (from + 1 == boundaries.size() || Roll(2) == 0) return Cursor::End(boundaries[from]);
    const size_t to = from + 1 + Roll(boundaries.size() - from - 1);
    const std::string last = "story " + std::to_string(Roll(150));
    return Cursor::Middle(boundaries[from], boundaries[to], {sites_[Roll(2)]->name, last}, boundaries[to]);
  }

  SealedChunk FoldAgain(const RefoldTarget& target) {
    auto chunk = std::make_shared<Chunk>(target.from);
    for (const FoldedBatch& batch : log_) {
      if (batch.end <= target.from || batch.end > target.to) continue;
      for (const FoldedView& view : batch.views) {
        if (!target.shards.Has(ShardOf(view.hash))) continue;
        const uint32_t bucket = chunk->BucketIndex({batch.site->index, view.hour, DayOf(view)});
        chunk->Add(batch.site->index, view.hash, view.id, bucket, view.count, view.bot);
      }
    }
    chunk->Extend(target.to, SteadyTime());
    return {chunk, target.shards};
  }

  void CheckWindow(const Site& site, Window window, const std::map<std::string, uint64_t>& expected) {
    std::map<std::string, uint64_t> visited;
    ASSERT_TRUE(ledger_.ForEachPending(ledger_.TakeSnapshot(), cursors_, site, window,
                                       [&](Shard shard, uint64_t hash, std::string_view id, uint64_t views) {
                                         EXPECT_EQ(hash, ArticleHash(site.seed, id));
                                         EXPECT_EQ(shard, ShardOf(hash));
                                         visited[std::string(id)] += views;
                                       }));
    ASSERT_EQ(visited, expected);
    int64_t sum = 0;
    for (const auto& [id, views] : expected) sum += static_cast<int64_t>(views);
    const auto sums = ledger_.SumPending(ledger_.TakeSnapshot(), cursors_, site, {window, window});
    ASSERT_TRUE(sums);
    ASSERT_EQ(sums->views, (std::vector<int64_t>{sum, sum}));
    const auto still = ledger_.Lock();
    for (int i = 0; i < 20; ++i) {
      const std::string id = "story " + std::to_string(Roll(150));
      const uint64_t hash = ArticleHash(site.seed, id);
      const auto known = expected.find(id);
      ASSERT_EQ(still.Pending(cursors_[ShardOf(hash).value], site, hash, id, window),
                known == expected.end() ? 0 : known->second)
          << id;
    }
  }

  std::mt19937_64 random_;
  // The sites are ordered by index, not by name.
  const std::vector<std::shared_ptr<const Site>> sites_ = {MakeIndexed("zeta", 0), MakeIndexed("alpha", 1)};
  Ledger ledger_{RandomId<LaneId>()};
  // Holds all records after `begin_`.
  std::deque<FoldedBatch> log_;
  Position begin_;
  Position position_;
  Position open_from_;
  ShardCursors cursors_;
  ShardViews journaled_{};
  uint64_t pending_views_ = 0;
  bool unsettled_ = false;
  bool seal_wanted_ = false;
  int told_ = 0;
};

TEST(LedgerModel, PendingIsExactInEveryInterleaving) {
  ModelledLedger ledger(TestSeed());
  for (int step = 0; step < 6'000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const uint64_t rolled = ledger.Roll(40);
    if (rolled < 4) {
      ledger.Fold();
    } else if (rolled < 8) {
      ledger.MarkDurable();
    } else if (rolled == 8) {
      ledger.Rewind();
    } else {
      ledger.Apply();
    }
    ledger.Trim();
    if (ledger.Roll(4) == 0) {
      ASSERT_NO_FATAL_FAILURE(ledger.Check());
      ASSERT_NO_FATAL_FAILURE(ledger.CheckTotals());
    }
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace viewcount
