// The last known counts of requested articles, kept up to date with everything that this process flushes.
//
// The cache lets a count be read without Redis for a second, and also while Redis is unreachable. When a part reaches
// the store, its views are added to the counts in the cache. In the same step they stop being pending.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/flush/applied_listener.h"
#include "service/lane/ledger.h"
#include "service/store/count_store.h"

namespace viewcount {

// An article's counts as GetCounts reports them.
struct ArticleTotals {
  uint64_t views = 0;
  uint64_t bot_views = 0;
  // An estimate, in the state of the store's last read.
  uint64_t viewers = 0;

  bool operator==(const ArticleTotals&) const = default;
};

// Returns a count as it is shown: never below 0.
inline uint64_t ShownCount(int64_t count) { return count < 0 ? 0 : static_cast<uint64_t>(count); }

// A requested article. The caller owns the ID.
struct ArticleRef {
  std::string_view id;
  uint64_t hash = 0;
};

// Thread-safe. Holds at most limits::kCountCacheArticlesPerShardMax articles of every shard. Those that were read
// longest ago are removed first.
class CountCache final : public AppliedListener {
 public:
  // A lane of this process: its ledger, and the incarnation that the store must have for it.
  struct Lane {
    const Ledger* ledger = nullptr;
    Incarnation incarnation;
  };

  // The ledgers must outlive the cache.
  explicit CountCache(std::vector<Lane> lanes);

  // See AppliedListener. The cursor moves under the mutex of the shard's counts.
  void Applied(Shard shard, Move move, const Chunk& chunk, std::span<const uint32_t> articles) override;
  void Rewound(Shard shard, Move move) override;

  // The IDs in the order of the lanes given.
  const std::vector<LaneId>& lane_ids() const { return lane_ids_; }

  struct Known {
    ArticleTotals totals;
    // The time at which the store was read.
    SteadyTime read_at;
  };
  // Returns the known totals of an article, pending views included. Returns nothing if it was not read since
  // `not_before`.
  std::optional<Known> Find(const Site& site, Shard shard, const ArticleRef& article, SteadyTime not_before);
  // Puts the totals of all articles at one moment into `totals`, in their order. Returns the time at which the oldest
  // of them was read; nothing if one is not known. Articles that were read before `wanted_before` are noted for
  // TakeWanted.
  std::optional<SteadyTime> FindAll(const std::shared_ptr<const Site>& site, std::span<const ArticleRef> articles,
                                    SteadyTime not_before, SteadyTime wanted_before, std::span<ArticleTotals> totals);

  // A requested article whose counts were read long ago.
  struct Wanted {
    std::shared_ptr<const Site> site;
    uint64_t hash = 0;
    std::string id;
  };
  // Returns the articles of the shard that were noted since the last call. An article is noted only once until it is
  // read again.
  std::vector<Wanted> TakeWanted(Shard shard);

  static constexpr std::array<Window, 3> kRemembered = {
      {{Window::Kind::kAllTime, 0}, {Window::Kind::kBots, 0}, {Window::Kind::kViewers, 0}}};

  // Adds the views that are pending after the counts were read, so that `counts` become totals of this moment.
  // `windows[i]` is the window of `counts.counts[i]`. If `remember` is true, the counts are kept for Find; the windows
  // must then be kRemembered. Returns false if the counts are older than the state that this process knows: read them
  // again.
  bool Complete(const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                const std::vector<Window>& windows, SteadyTime read_at, bool remember, ShardCounts& counts);

  // For every lane, the cursor of every shard as this process knows it. Thread-safe.
  std::vector<ShardCursors> KnownCursors() const;
  // Checks the lanes' entries that came with an answer of the store, and puts their cursors into `cursors`, one for
  // each lane. Returns false if the answer is older than `known`, which is of the time before the read: read it again.
  // It may be older than the present state, so that large answers are not refused because flushes go on meanwhile.
  // Therefore the caller must keep all chunks since it called KnownCursors. Thread-safe.
  bool CheckCursors(std::span<const ShardCursors> known, Shard shard,
                    const std::vector<std::optional<LaneEntry>>& entries, std::vector<Cursor>& cursors) const;

 private:
  struct Key {
    SiteIndex site;
    uint64_t hash = 0;
    std::string id;
  };
  struct KeyView {
    SiteIndex site;
    uint64_t hash = 0;
    std::string_view id;
  };
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const auto& key) const { return key.hash; }
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return a.hash == b.hash && a.site == b.site && a.id == b.id; }
  };
  // Counts as the store holds them. They are below 0 where the views that compensate for that are pending.
  struct Stored {
    int64_t views = 0;
    int64_t bot_views = 0;
    int64_t viewers = 0;
    SteadyTime read_at;
    bool wanted = false;
  };
  static ArticleTotals Shown(const Stored& stored) {
    return {ShownCount(stored.views), ShownCount(stored.bot_views), ShownCount(stored.viewers)};
  }
  using Map = boost::unordered_flat_map<Key, Stored, KeyHash, KeyEqual>;

  // Two generations of counts. When `young` is full, it becomes `old`, and the counts in `old` are dropped.
  struct ShardCache {
    Mutex mutex;
    Map young ABSL_GUARDED_BY(mutex);
    Map old ABSL_GUARDED_BY(mutex);
    std::vector<Wanted> wanted ABSL_GUARDED_BY(mutex);
  };

  // Holds the mutexes of some shards, locked in the order of the shards.
  class Hold;

  static Stored* Find(ShardCache& cache, const KeyView& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(cache.mutex);
  static void Remember(ShardCache& cache, const KeyView& key, const Stored& stored)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(cache.mutex);
  // Keeps the counts that were read, converted to the cursors that this process knows. `equal` is true if the counts
  // were read at exactly these cursors.
  void RememberAll(ShardCache& cache, const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                   SteadyTime read_at, const std::vector<Cursor>& cursors, bool equal, const ShardCounts& counts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(cache.mutex);
  // Sets `equal` to true if all cursors are those that this process knows. Under the lock of the shard's cache these
  // cursors do not move.
  bool CheckLocked(const ShardCache& cache, Shard shard, const std::vector<std::optional<LaneEntry>>& entries,
                   std::vector<Cursor>& cursors, bool& equal) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(cache.mutex);

  const std::vector<Lane> lanes_;
  std::vector<LaneId> lane_ids_;
  std::array<ShardCache, limits::kShards> shards_;
};

}  // namespace viewcount
