// The last known counts of articles that were asked for, kept true to what this process flushes.
//
// It is what lets a count be read without Redis for a second, and at all while Redis is away: every part that reaches
// the store is added to the counts remembered here in the same step in which it stops being pending.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/flush/applied_listener.h"
#include "service/lane/ledger.h"
#include "service/store/count_store.h"

namespace viewcount {

// What GetCounts says of an article.
struct ArticleTotals {
  uint64_t views = 0;
  uint64_t bot_views = 0;
  // Estimated, as the store had it when it was read.
  uint64_t viewers = 0;

  bool operator==(const ArticleTotals&) const = default;
};

// A count as it is shown: never below 0.
inline uint64_t ShownCount(int64_t count) { return count < 0 ? 0 : static_cast<uint64_t>(count); }

// An article asked for. The ID belongs to the caller.
struct ArticleRef {
  std::string_view id;
  uint64_t hash = 0;
};

// Thread safe. Bounded: limits::kCountCacheArticlesPerShardMax of every shard, those asked for longest ago go first.
class CountCache final : public AppliedListener {
 public:
  // A lane of this process: its ledger, and the incarnation under which the store must know it.
  struct Lane {
    Ledger* ledger = nullptr;
    Incarnation incarnation;
  };

  // The ledgers must outlive the cache.
  explicit CountCache(std::vector<Lane> lanes);

  void Applied(Ledger& ledger, Shard shard, const Cursor& cursor, const Chunk& chunk,
               std::span<const uint32_t> articles) override;
  void Rewound(Ledger& ledger, Shard shard, const Cursor& cursor) override;

  // In the order of the lanes given.
  const std::vector<LaneId>& lane_ids() const { return lane_ids_; }

  struct Known {
    ArticleTotals totals;
    // When the store was read.
    SteadyTime read_at;
  };
  // What is known of an article, with what is pending; nothing if it was not read, or before `not_before`.
  std::optional<Known> Find(const Site& site, Shard shard, const ArticleRef& article, SteadyTime not_before);
  // The same of all of them at one moment, into `totals`, in their order: when the first of them was read. Nothing if
  // one is not known. Those read before `wanted_before` are noted for TakeWanted.
  std::optional<SteadyTime> FindAll(const std::shared_ptr<const Site>& site, std::span<const ArticleRef> articles,
                                    SteadyTime not_before, SteadyTime wanted_before, std::span<ArticleTotals> totals);

  // An article that is asked for and was not read for long.
  struct Wanted {
    std::shared_ptr<const Site> site;
    uint64_t hash = 0;
    std::string id;
  };
  // What was noted of the shard since the last call, each article once until it is read.
  std::vector<Wanted> TakeWanted(Shard shard);

  static constexpr std::array<Window, 3> kRemembered = {
      {{Window::Kind::kAllTime, 0}, {Window::Kind::kBots, 0}, {Window::Kind::kViewers, 0}}};

  // Completes counts that were just read from the store with what is pending beyond them: `counts` become totals of
  // this moment. `windows[i]` is that of `counts.counts[i]`. With `remember` (then the windows are kRemembered) they
  // are kept for Find. False if the counts are older than what this process knows: read again.
  bool Complete(const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                const std::vector<Window>& windows, SteadyTime read_at, bool remember, ShardCounts& counts);

  // Checks the lanes' entries that came with an answer of the store and puts their cursors into `cursors`, one for each
  // lane. False if the answer is older than what this process knows: read again.
  bool CheckCursors(Shard shard, const std::vector<std::optional<LaneEntry>>& entries, std::vector<Cursor>& cursors);

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
  // As the store has it: below 0 where what makes up for that is pending.
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

  // Two generations: when the young one is full it becomes the old one, and what was in the old one goes.
  struct ShardCache {
    std::mutex mutex;
    Map young;
    Map old;
    std::vector<Wanted> wanted;
  };

  // Holds the mutexes of some shards, taken in their order.
  class Hold;

  static Stored* Find(ShardCache& cache, const KeyView& key);
  static void Remember(ShardCache& cache, const KeyView& key, const Stored& stored);
  // Keeps what was read as it was at the cursors that this process knows; `equal`: those are the ones read.
  void RememberAll(ShardCache& cache, const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                   SteadyTime read_at, const std::vector<Cursor>& cursors, bool equal, const ShardCounts& counts);
  // With the shard's mutex held. `equal`: all cursors are those this process knows.
  bool CheckLocked(Shard shard, const std::vector<std::optional<LaneEntry>>& entries, std::vector<Cursor>& cursors,
                   bool& equal) const;

  const std::vector<Lane> lanes_;
  std::vector<LaneId> lane_ids_;
  std::array<ShardCache, limits::kShards> shards_;
};

}  // namespace viewcount
