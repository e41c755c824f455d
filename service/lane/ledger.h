// What a lane has taken and the store has not: the open chunk, the sealed ones, and each shard's cursor.
//
// Three sides meet here: the lane's thread folds, the flusher seals and moves cursors, queries add what is pending.
//
// For every shard the sealed chunks that hold its views, in order, and then the open chunk make one unbroken range that
// begins where the shard's cursor stands. Usually one chunk holds all shards. After a crash, or when the store went
// back in time, shards stand at different places; what lies between is folded again from the journal into chunks of
// these shards alone. Until that is done such a shard is absent: nobody knows what is pending there.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "service/ingest/batch.h"
#include "service/lane/chunk.h"
#include "service/lane/folding.h"
#include "service/lane/pending_views.h"
#include "service/sites/site.h"
#include "service/store/cursor.h"

namespace viewcount {

// Thread safe; each function says whose it is.
class Ledger {
 public:
  // What a lane that was there before begins with.
  struct Beginning {
    // The journal's end: what lies before it is pending until a shard's cursor says otherwise.
    Position end;
    Folding folding;
    // Of everything up to `end`.
    ShardViews journaled{};
    // Shards whose cursor is not known yet.
    ShardSet absent;
  };
  explicit Ledger(LaneId lane) : Ledger(lane, Beginning()) {}
  Ledger(LaneId lane, Beginning beginning);

  LaneId lane() const { return lane_; }

  // --- The lane's thread ---

  // From here on the site's views are folded under these settings; null in Find for a site that was never applied.
  void ApplySite(std::shared_ptr<const Site> site);
  std::shared_ptr<const Site> FindSite(SiteIndex site) const;
  std::vector<std::shared_ptr<const Site>> sites() const;
  // Adds a batch to the open chunk. Until Extend the chunk cannot be sealed: the batch may not be durable yet.
  void Fold(const Batch& batch);
  // The same for an adjustment of a site that was applied.
  void Fold(SiteIndex site, const Adjustment& adjustment, SteadyTime receipt_time);
  // Everything folded so far is durable, and ends at `position`.
  void Extend(Position position);
  // Views by shard over the lane's whole life. Only while nothing is folded that is not durable.
  ShardViews journaled() const;

  // --- The flusher ---

  // The sealed chunk to flush next; seals the open one if there is none. Nothing if there is nothing to flush, or while
  // what was folded last is not durable: then Extend seals, and calls `sealed`.
  SealedChunk Next();
  void NotifySealed(std::function<void()> sealed);
  // A shard's cursor moved, and is where its chunks begin.
  void SetCursor(Shard shard, const Cursor& cursor);
  // Whether a cursor is where a chunk of this shard begins, ends or is cut, so that it can be gone on from.
  bool Fits(Shard shard, const Cursor& cursor) const;
  // Takes the shards out of all sealed chunks, and makes them absent. Returns where the open chunk begins.
  Position Withdraw(ShardSet shards);
  // Puts back what was folded again of absent shards, up to where the open chunk begins; SetCursor ends their absence.
  void Restore(std::vector<SealedChunk> chunks);
  // Forgets a sealed chunk: the cursor of every shard it holds is behind it.
  void Release(const Chunk& chunk);

  // --- Anybody ---

  // Holds the ledger still: several questions get answers of one moment. Keep it short; folding waits.
  class Still {
   public:
    bool IsAbsent(Shard shard) const { return ledger_.absent_.Has(shard); }
    const Cursor& CursorOf(Shard shard) const { return ledger_.cursors_[shard.value]; }
    // See Ledger::Fits.
    bool Fits(Shard shard, const Cursor& cursor) const { return ledger_.FitsLocked(shard, cursor); }
    // What lies beyond `cursor`, which fits its shard, of an article in the window; below 0 where adjustments lower it.
    int64_t Pending(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                    Window window) const;
    // The same of all time, people's views and bots'.
    struct Totals {
      int64_t views = 0;
      int64_t bot_views = 0;
    };
    Totals PendingTotals(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id) const;
    // Views of the whole shard that lie beyond its cursor.
    uint64_t Pending(Shard shard) const;
    // Of the shard, over the lane's whole life.
    uint64_t Journaled(Shard shard) const;
    // By how much everything folded here since the process began changed a site's total. Only differences of it mean
    // anything: a total of one moment and what it grew by since are the total of now.
    int64_t Folded(SiteIndex site) const { return ledger_.FoldedLocked(site); }

   private:
    friend class Ledger;
    // Calls `visit(chunk, article)` wherever the article is beyond the cursor.
    template <typename Visit>
    void ForEachBeyond(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                       Visit visit) const;
    explicit Still(const Ledger& ledger) : ledger_(ledger), lock_(ledger.mutex_) {}
    const Ledger& ledger_;
    std::unique_lock<std::mutex> lock_;
  };
  Still HoldStill() const { return Still(*this); }

  // Keeps the chunks of now alive, so that cursors read from now on can be completed from them.
  struct Mark {
    std::vector<SealedChunk> sealed;
    Position open_from;
    uint64_t withdrawals = 0;
  };
  Mark MarkNow() const;
  // Calls `visit` for every article of the site that changes in the window beyond its shard's cursor in `cursors`, all
  // of which were read after `mark` and fit; an article may come twice, and the empty ID is the site's own start value.
  // Blocks folding meanwhile. False, after any number of calls, if a chunk came and went since the mark or a shard is
  // absent: read again.
  using PendingVisitor = std::function<void(Shard shard, uint64_t hash, std::string_view article_id, int64_t views)>;
  bool ForEachPending(const Mark& mark, const ShardCursors& cursors, const Site& site, Window window,
                      const PendingVisitor& visit) const;

  // What ForEachPending would tell, for those who need few of the articles. Holds the ledger still, and moves `mark` on
  // to now: whoever comes again before a chunk came and went can go on with the same cursors. Nothing where
  // ForEachPending is false.
  std::optional<PendingViews> HoldPending(Mark& mark, const ShardCursors& cursors, const Site& site,
                                          Window window) const;

  struct PendingSums {
    // For every window asked.
    std::vector<int64_t> views;
    // Still::Folded of the same moment.
    int64_t folded = 0;
  };
  // What ForEachPending would tell of all articles, summed up, in several windows of one moment. Nothing where that is
  // false.
  std::optional<PendingSums> SumPending(const Mark& mark, const ShardCursors& cursors, const Site& site,
                                        const std::vector<Window>& windows) const;

  // Every window in which something of the site is pending now or was at some time since the mark; more than that does
  // not hurt. Nothing if a chunk came and went since the mark or a shard is absent.
  std::optional<std::set<Window>> WindowsSince(const Mark& mark, SiteIndex site) const;
  // The notes of the site that are pending, of one moment.
  std::vector<Chunk::Adjusted::Note> PendingNotes(const Site& site) const;

  struct Totals {
    // The end of what was folded and is durable.
    Position position;
    // Everything up to here is in the store whole.
    Position flushed;
    // Sum of the counts that are not in the store.
    uint64_t pending_views = 0;
    uint64_t bytes = 0;
    size_t sealed = 0;
    ShardSet absent;
    // When the oldest pending batch came; max if none is pending.
    SteadyTime oldest = SteadyTime::max();
  };
  Totals totals() const;

 private:
  bool FitsLocked(Shard shard, const Cursor& cursor) const;
  void SealLocked();
  // The chunks of the mark and those sealed since, without a gap up to the open one; nothing if there is a gap.
  std::optional<std::vector<SealedChunk>> ChunksSinceLocked(const Mark& mark) const;
  uint64_t PendingLocked(Shard shard) const;
  int64_t FoldedLocked(SiteIndex site) const;
  void AddFoldedLocked(SiteIndex site, int64_t views);
  // Calls `begin(chunk)` for every chunk of ForEachPending, and what that returns with each of its pending articles.
  // Still::Folded of that moment, or nothing where ForEachPending is false.
  template <typename Begin>
  std::optional<int64_t> VisitPending(const Mark& mark, const ShardCursors& cursors, const Site& site,
                                      Begin begin) const;

  const LaneId lane_;
  mutable std::mutex mutex_;
  Folding folding_;
  // Of the chunks that follow one another here.
  const std::shared_ptr<BlockPool> pool_ = std::make_shared<BlockPool>();
  // Of the chunk sealed last.
  size_t sealed_bytes_ = 0;
  std::shared_ptr<Chunk> open_;
  // Something was folded into the open chunk since it was extended.
  bool unsettled_ = false;
  SteadyTime unsettled_oldest_ = SteadyTime::max();
  bool seal_wanted_ = false;
  std::function<void()> notify_sealed_;
  // In order of their ends; those of one shard do not overlap.
  std::vector<SealedChunk> sealed_;
  ShardCursors cursors_;
  ShardSet absent_;
  // Of everything before the open chunk.
  ShardViews journaled_{};
  uint64_t withdrawals_ = 0;
  // By the site's index.
  std::vector<int64_t> folded_;
};

}  // namespace viewcount
