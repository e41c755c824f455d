// What a lane has taken and the store has not: the open chunk, the sealed one, and each shard's cursor.
//
// Three sides meet here: the lane's thread folds, the flusher seals and moves cursors, queries add what is pending.
// There are never more than two chunks: while the sealed one is under way, the open one gathers everything that comes.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "service/ingest/batch.h"
#include "service/lane/chunk.h"
#include "service/sites/site.h"
#include "service/store/cursor.h"

namespace viewcount {

using ShardCursors = std::array<Cursor, limits::kShards>;

// Thread safe; each function says whose it is.
class Ledger {
 public:
  explicit Ledger(LaneId lane) : lane_(lane) {}

  LaneId lane() const { return lane_; }

  // --- The lane's thread ---

  // From here on the site's views are folded under these settings.
  void ApplySite(std::shared_ptr<const Site> site);
  // Adds a batch that was journaled up to `position`.
  void Fold(const Batch& batch, Position position);

  // --- The flusher ---

  // The sealed chunk; seals the open one if there is none. Null if there is nothing to flush.
  std::shared_ptr<const Chunk> Seal();
  // A shard's cursor moved (or, if the store went back in time, was found elsewhere).
  void SetCursor(Shard shard, const Cursor& cursor);
  // Forgets the sealed chunk: every shard's cursor is behind it.
  void Release();

  // --- Anybody ---

  // Holds the ledger still: several questions get answers of one moment. Keep it short; folding waits.
  class Still {
   public:
    const Cursor& CursorOf(Shard shard) const { return ledger_.cursors_[shard.value]; }
    // Views of an article in the window that lie beyond `cursor` (of its shard).
    uint64_t Pending(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                     Window window) const;

   private:
    friend class Ledger;
    explicit Still(const Ledger& ledger) : ledger_(ledger), lock_(ledger.mutex_) {}
    const Ledger& ledger_;
    std::unique_lock<std::mutex> lock_;
  };
  Still HoldStill() const { return Still(*this); }

  // Keeps the chunks of now alive, so that cursors read from now on can be completed from them.
  struct Mark {
    std::shared_ptr<const Chunk> sealed;
    Position from;
  };
  Mark MarkNow() const;
  // Calls `visit` for every article of the site with views in the window beyond its shard's cursor in `cursors`, all of
  // which were read after `mark`; an article may come twice. Blocks folding meanwhile. False, after any number of
  // calls, if a chunk came and went since the mark: read again.
  using PendingVisitor = std::function<void(Shard shard, uint64_t hash, std::string_view article_id, uint64_t views)>;
  bool ForEachPending(const Mark& mark, const ShardCursors& cursors, const Site& site, Window window,
                      const PendingVisitor& visit) const;

  struct Totals {
    // The end of what was folded.
    Position position;
    // Everything up to here is in the store whole.
    Position flushed;
    // Sum of the counts in both chunks.
    uint64_t pending_views = 0;
    uint64_t bytes = 0;
    bool sealed = false;
    // When the oldest pending batch came; max if none is pending.
    SteadyTime oldest = SteadyTime::max();
  };
  Totals totals() const;

 private:
  // How a site's views are folded.
  struct Folding {
    std::shared_ptr<const Site> site;
    SiteCalendar calendar;
    // Index in the open chunk of the bucket of this slot.
    SiteCalendar::Slot slot;
    uint32_t bucket = 0;
  };

  uint32_t BucketOf(Folding& folding, int64_t unix_ms);

  const LaneId lane_;
  mutable std::mutex mutex_;
  std::shared_ptr<Chunk> open_ = std::make_shared<Chunk>(Position{0});
  std::shared_ptr<const Chunk> sealed_;
  ShardCursors cursors_;
  std::vector<std::optional<Folding>> foldings_;
};

}  // namespace viewcount
