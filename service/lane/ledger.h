// The ledger of a lane holds its unflushed views: the open chunk (a memtable), the sealed chunks (immutable memtables),
// and the cursor of each shard.
//
// Three sides use it: the lane's thread folds, the flusher seals and moves cursors, and queries add the pending views.
//
// For every shard, the sealed chunks that hold its views and then the open chunk form one unbroken range of positions.
// The range begins at the shard's cursor. Usually one chunk holds all shards. After a crash, or when the store went
// back in time, shards stand at different positions. The missing ranges are then folded again from the journal, into
// chunks for these shards only. Until that is done such a shard is absent: its pending views are not known.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "service/base/mutex.h"
#include "service/lane/chunk.h"
#include "service/lane/folding.h"
#include "service/lane/pending_views.h"
#include "service/model/batch.h"
#include "service/model/cursor.h"
#include "service/sites/site.h"

namespace viewcount {

// Thread-safe. Section comments name the thread that may call each group of functions.
class Ledger {
 public:
  // The state with which the ledger of an existing lane begins.
  struct Beginning {
    // The journal's end. Everything before it is pending until a shard's cursor says otherwise.
    Position end;
    // The settings of all sites at the journal's end.
    Folding folding;
    // The views that the lane journaled up to `end`.
    ShardViews journaled{};
    // The shards whose cursors are not known yet.
    ShardSet absent;
  };
  // Creates the ledger of a new lane.
  explicit Ledger(LaneId lane) : Ledger(lane, Beginning()) {}
  Ledger(LaneId lane, Beginning beginning);

  LaneId lane() const { return lane_; }

  // --- Called by the lane's thread ---

  // From this call on the site's views are folded under these settings. FindSite returns null for a site that was never
  // applied.
  void ApplySite(std::shared_ptr<const Site> site);
  std::shared_ptr<const Site> FindSite(SiteIndex site) const;
  std::vector<std::shared_ptr<const Site>> sites() const;
  // Adds a batch to the open chunk. The batch may not be durable yet, so the chunk cannot be sealed until MarkDurable.
  void Fold(const Batch& batch);
  // Does the same for an adjustment of a site that was applied.
  void Fold(SiteIndex site, const Adjustment& adjustment, SteadyTime receipt_time);
  // States that everything folded so far is durable, and ends at `position`.
  void MarkDurable(Position position);
  // Returns the views of each shard over the lane's whole life. Requires that everything folded is durable.
  ShardViews journaled() const;

  // --- Called by the flusher ---

  // Returns the sealed chunk to flush next. Seals the open chunk if there is no sealed one. Returns an empty result if
  // there is nothing to flush, or if the last views folded are not durable. In the latter case the next MarkDurable
  // seals the chunk and calls the function that was passed to NotifySealed.
  SealedChunk Next();
  void NotifySealed(std::function<void()> sealed);
  // Sets the cursor of a shard and ends its absence. The cursor must fit the shard's chunks.
  void SetCursor(Shard shard, const Cursor& cursor);
  // Returns whether flushing can continue from this cursor. The cursor must be where a chunk of this shard begins or
  // ends, or in the middle of such a chunk. No cursor fits an absent shard.
  bool Fits(Shard shard, const Cursor& cursor) const;
  // Takes the shards out of all sealed chunks and makes them absent. Returns where the open chunk begins.
  Position Withdraw(ShardSet shards);
  // Adds chunks that were folded again for absent shards. The chunks may lead up to where the open chunk begins.
  // SetCursor then ends the shards' absence.
  void Restore(std::vector<SealedChunk> chunks);
  // Forgets a sealed chunk. The cursor of every shard in it must have reached the chunk's end.
  void Release(const Chunk& chunk);

  // --- Called by any thread ---

  // Locks the ledger while it exists, so that several questions get answers of the same moment. Keep it short: folding
  // waits.
  class LockedView {
   public:
    bool IsAbsent(Shard shard) const {
      ledger_.mutex_.AssertHeld();
      return ledger_.absent_.Has(shard);
    }
    const Cursor& CursorOf(Shard shard) const {
      ledger_.mutex_.AssertHeld();
      return ledger_.cursors_[shard.value];
    }
    // See Ledger::Fits.
    bool Fits(Shard shard, const Cursor& cursor) const {
      ledger_.mutex_.AssertHeld();
      return ledger_.FitsLocked(shard, cursor);
    }
    // Returns the article's views in the window that lie beyond `cursor`. The cursor must fit the article's shard. The
    // result is negative where adjustments lower the count.
    int64_t Pending(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                    Window window) const;
    // The article's views by people and by bots beyond `cursor`, over all time.
    struct Totals {
      int64_t views = 0;
      int64_t bot_views = 0;
    };
    Totals PendingTotals(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id) const;
    // Returns the views of the whole shard that lie beyond the ledger's cursor.
    uint64_t Pending(Shard shard) const;
    // Returns the views of the shard over the lane's whole life.
    uint64_t Journaled(Shard shard) const;
    // Returns by how much all folding since the process began has changed the site's total. Only differences between
    // two results have a meaning: a total at one moment plus the difference since then is the present total.
    int64_t Folded(SiteIndex site) const {
      ledger_.mutex_.AssertHeld();
      return ledger_.FoldedLocked(site);
    }

   private:
    friend class Ledger;
    // Calls `visit(chunk, article)` for every chunk in which the article lies beyond the cursor.
    template <typename Visit>
    void ForEachBeyond(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                       Visit visit) const;
    explicit LockedView(const Ledger& ledger) : ledger_(ledger), lock_(ledger.mutex_) {}
    const Ledger& ledger_;
    // The analysis does not know that this lock lasts as long as the object. So each function states it.
    std::unique_lock<Mutex> lock_;
  };
  // Returns a lock on the ledger. It must not outlive the ledger.
  LockedView Lock() const { return LockedView(*this); }

  // Keeps the present chunks alive, so that cursors that are read from now on can be completed from them.
  struct Snapshot {
    std::vector<SealedChunk> sealed;
    Position open_from;
    uint64_t withdrawals = 0;
  };
  Snapshot TakeSnapshot() const;
  // Calls `visit` for every article of the site whose views in the window change beyond its shard's cursor. `cursors`
  // must have been read after `mark`, and must fit. An article may be visited twice. The empty ID stands for the site's
  // own start value. Folding waits while the open chunk is visited. Returns false, without any visit, if the chunks
  // since the mark are not complete: a chunk was sealed and released meanwhile, a shard was withdrawn, or a shard is
  // absent. The caller must then read the cursors again.
  using PendingVisitor = std::function<void(Shard shard, uint64_t hash, std::string_view article_id, int64_t views)>;
  bool ForEachPending(const Snapshot& mark, const ShardCursors& cursors, const Site& site, Window window,
                      const PendingVisitor& visit) const;

  // Returns what ForEachPending would visit, for callers that need few of the articles. Locks the ledger while the
  // result exists. Moves `mark` to the present. A later call can use the same cursors as long as no chunk is both
  // sealed and released in between. Returns nothing where ForEachPending returns false.
  // The weighted views of all windows are added up. The windows must outlive the result.
  std::optional<PendingViews> HoldPending(Snapshot& mark, const ShardCursors& cursors, const Site& site,
                                          const WeightedWindows& windows) const;

  // The pending views of a site in several windows.
  struct PendingSums {
    // One sum for each requested window.
    std::vector<int64_t> views;
    // The result of LockedView::Folded at the same moment.
    int64_t folded = 0;
  };
  // Sums up what ForEachPending would visit, in several windows of the same moment. Returns nothing where
  // ForEachPending returns false.
  std::optional<PendingSums> SumPending(const Snapshot& mark, const ShardCursors& cursors, const Site& site,
                                        const std::vector<Window>& windows) const;

  // Returns every window in which something of the site is pending, or was pending since the mark. The result may
  // contain further windows. Returns nothing where ForEachPending returns false.
  std::optional<std::set<Window>> WindowsSince(const Snapshot& mark, SiteIndex site) const;
  // Returns the pending notes of the site, as of one moment.
  std::vector<Chunk::Adjusted::Note> PendingNotes(const Site& site) const;

  // Numbers about the whole ledger, as of one moment.
  struct Totals {
    // The end of the views that are folded and durable.
    Position position;
    // The store has everything up to here. 0 while a shard is absent.
    Position flushed;
    // The number of views that are not in the store.
    uint64_t pending_views = 0;
    // The approximate memory of all chunks, and the number of sealed ones.
    uint64_t bytes = 0;
    size_t sealed = 0;
    ShardSet absent;
    // When the oldest pending batch was received; the maximum if none is pending.
    SteadyTime oldest = SteadyTime::max();
  };
  Totals totals() const;

 private:
  bool FitsLocked(Shard shard, const Cursor& cursor) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SealLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the chunks of the mark and those sealed since, up to the open chunk. Returns nothing if a chunk is missing,
  // or if a shard is absent or was withdrawn.
  std::optional<std::vector<SealedChunk>> ChunksSinceLocked(const Snapshot& mark) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t PendingLocked(Shard shard) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t FoldedLocked(SiteIndex site) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddFoldedLocked(SiteIndex site, int64_t views) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `begin(chunk)` for every chunk that ForEachPending visits. Calls its result with each pending article of the
  // chunk. Returns LockedView::Folded at that moment, or nothing where ForEachPending returns false.
  template <typename Begin>
  std::optional<int64_t> VisitPending(const Snapshot& mark, const ShardCursors& cursors, const Site& site,
                                      Begin begin) const;

  const LaneId lane_;
  mutable Mutex mutex_;
  Folding folding_ ABSL_GUARDED_BY(mutex_);
  // The memory for the open chunks of this ledger, one after another.
  const std::shared_ptr<BlockPool> pool_ = std::make_shared<BlockPool>();
  // The memory of the chunk that was sealed last.
  size_t sealed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Chunk> open_ ABSL_GUARDED_BY(mutex_);
  // True if something was folded into the open chunk since the last MarkDurable.
  bool unsettled_ ABSL_GUARDED_BY(mutex_) = false;
  SteadyTime unsettled_oldest_ ABSL_GUARDED_BY(mutex_) = SteadyTime::max();
  // True if the next MarkDurable must seal the open chunk.
  bool seal_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> notify_sealed_ ABSL_GUARDED_BY(mutex_);
  // In order of their ends. Chunks of one shard do not overlap.
  std::vector<SealedChunk> sealed_ ABSL_GUARDED_BY(mutex_);
  ShardCursors cursors_ ABSL_GUARDED_BY(mutex_);
  ShardSet absent_ ABSL_GUARDED_BY(mutex_);
  // The views of everything before the open chunk.
  ShardViews journaled_ ABSL_GUARDED_BY(mutex_){};
  // How often Withdraw was called.
  uint64_t withdrawals_ ABSL_GUARDED_BY(mutex_) = 0;
  // The results of LockedView::Folded, by the site's index.
  std::vector<int64_t> folded_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
