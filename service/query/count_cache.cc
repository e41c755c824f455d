#include "service/query/count_cache.h"

#include <algorithm>
#include <utility>

#include "service/base/check.h"
#include "service/base/hash.h"
#include "service/base/planted_bug.h"

namespace viewcount {

CountCache::CountCache(std::vector<Lane> lanes) : lanes_(std::move(lanes)) {
  for (const Lane& lane : lanes_) lane_ids_.push_back(lane.ledger->lane());
}

void CountCache::Applied(Shard shard, Move move, const Chunk& chunk, std::span<const uint32_t> articles) {
  ShardCache& cache = shards_[shard.value];
  const MutexLock lock(cache.mutex);
  move();
  if (cache.young.empty() && cache.old.empty()) return;
  for (const uint32_t index : articles) {
    const Chunk::Article& article = chunk.articles()[index];
    Stored* stored = Find(cache, {article.site, article.hash, article.id});
    if (stored == nullptr) continue;
    stored->views += chunk.ViewsOf(article, {Window::Kind::kAllTime, 0});
    stored->bot_views += chunk.ViewsOf(article, {Window::Kind::kBots, 0});
  }
}

void CountCache::Rewound(Shard shard, Move move) {
  ShardCache& cache = shards_[shard.value];
  const MutexLock lock(cache.mutex);
  move();
  if (Planted(PlantedBug::kKeepCacheOnRewind)) return;
  cache.young.clear();
  cache.old.clear();
}

CountCache::Stored* CountCache::Find(ShardCache& cache, const KeyView& key) {
  for (Map* map : {&cache.young, &cache.old}) {
    if (const auto found = map->find(key); found != map->end()) return &found->second;
  }
  return nullptr;
}

void CountCache::Remember(ShardCache& cache, const KeyView& key, const Stored& stored) {
  if (const auto found = cache.young.find(key); found != cache.young.end()) {
    found->second = stored;
    return;
  }
  if (cache.young.size() >= limits::kCountCacheArticlesPerShardMax / 2) {
    cache.old = std::exchange(cache.young, Map());
  }
  cache.young.emplace(Key{key.site, key.hash, std::string(key.id)}, stored);
}

std::optional<CountCache::Known> CountCache::Find(const Site& site, Shard shard, const ArticleRef& article,
                                                  SteadyTime not_before) {
  ShardCache& cache = shards_[shard.value];
  const MutexLock lock(cache.mutex);
  const Stored* found = Find(cache, {site.index, article.hash, article.id});
  if (found == nullptr || found->read_at < not_before) return std::nullopt;
  Stored now = *found;
  for (const Lane& lane : lanes_) {
    const Ledger::LockedView still = lane.ledger->Lock();
    if (still.IsAbsent(shard)) return std::nullopt;
    const Cursor& cursor = still.CursorOf(shard);
    const auto pending = still.PendingTotals(cursor, site, article.hash, article.id);
    now.views += pending.views;
    now.bot_views += pending.bot_views;
  }
  return Known{Shown(now), now.read_at};
}

class CountCache::Hold {
 public:
  Hold(CountCache& cache, ShardSet shards) : cache_(cache), shards_(shards) {
    // The analysis cannot follow locks of a loop.
    shards_.ForEach([&](Shard shard) ABSL_NO_THREAD_SAFETY_ANALYSIS { cache_.shards_[shard.value].mutex.lock(); });
  }
  ~Hold() {
    shards_.ForEach([&](Shard shard) ABSL_NO_THREAD_SAFETY_ANALYSIS { cache_.shards_[shard.value].mutex.unlock(); });
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  CountCache& cache_;
  const ShardSet shards_;
};

std::optional<SteadyTime> CountCache::FindAll(const std::shared_ptr<const Site>& site,
                                              std::span<const ArticleRef> articles, SteadyTime not_before,
                                              SteadyTime wanted_before, std::span<ArticleTotals> totals) {
  ShardSet shards;
  for (const ArticleRef& article : articles) shards.Add(ShardOf(article.hash));
  std::vector<Stored> found;
  found.reserve(articles.size());
  SteadyTime oldest = SteadyTime::max();
  const Hold hold(*this, shards);
  for (const ArticleRef& article : articles) {
    ShardCache& cache = shards_[ShardOf(article.hash).value];
    // `hold` holds it.
    cache.mutex.AssertHeld();
    Stored* const stored = Find(cache, {site->index, article.hash, article.id});
    if (stored == nullptr || stored->read_at < not_before) return std::nullopt;
    if (stored->read_at < wanted_before && !std::exchange(stored->wanted, true)) {
      cache.wanted.push_back({site, article.hash, std::string(article.id)});
    }
    oldest = std::min(oldest, stored->read_at);
    found.push_back(*stored);
  }
  for (const Lane& lane : lanes_) {
    const Ledger::LockedView still = lane.ledger->Lock();
    for (size_t i = 0; i < articles.size(); ++i) {
      const Shard shard = ShardOf(articles[i].hash);
      if (still.IsAbsent(shard)) return std::nullopt;
      const auto pending = still.PendingTotals(still.CursorOf(shard), *site, articles[i].hash, articles[i].id);
      found[i].views += pending.views;
      found[i].bot_views += pending.bot_views;
    }
  }
  for (size_t i = 0; i < articles.size(); ++i) totals[i] = Shown(found[i]);
  return oldest;
}

std::vector<CountCache::Wanted> CountCache::TakeWanted(Shard shard) {
  ShardCache& cache = shards_[shard.value];
  const MutexLock lock(cache.mutex);
  return std::exchange(cache.wanted, {});
}

bool CountCache::CheckLocked([[maybe_unused]] const ShardCache& cache, Shard shard,
                             const std::vector<std::optional<LaneEntry>>& entries, std::vector<Cursor>& cursors,
                             bool& equal) const {
  VIEWCOUNT_CHECK(entries.size() == lanes_.size());
  cursors.clear();
  equal = true;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    // The entry is missing if the lane has not claimed this shard yet, because it has not applied anything to it.
    if (entries[i] && entries[i]->incarnation != lanes_[i].incarnation) return false;
    cursors.push_back(entries[i] ? entries[i]->cursor : Cursor());
    const Ledger::LockedView still = lanes_[i].ledger->Lock();
    const Cursor& known = still.CursorOf(shard);
    if (cursors.back() < known || !still.Fits(shard, cursors.back())) return false;
    equal = equal && cursors.back() == known;
  }
  return true;
}

std::vector<ShardCursors> CountCache::KnownCursors() const {
  std::vector<ShardCursors> known(lanes_.size());
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    const Ledger::LockedView still = lanes_[lane].ledger->Lock();
    for (uint8_t shard = 0; shard < limits::kShards; ++shard) known[lane][shard] = still.CursorOf(Shard{shard});
  }
  return known;
}

bool CountCache::CheckCursors(std::span<const ShardCursors> known, Shard shard,
                              const std::vector<std::optional<LaneEntry>>& entries,
                              std::vector<Cursor>& cursors) const {
  VIEWCOUNT_CHECK(entries.size() == lanes_.size() && known.size() == lanes_.size());
  cursors.clear();
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (entries[lane] && entries[lane]->incarnation != lanes_[lane].incarnation) return false;
    cursors.push_back(entries[lane] ? entries[lane]->cursor : Cursor());
    if (cursors.back() < known[lane][shard.value]) return false;
  }
  return true;
}

void CountCache::RememberAll(ShardCache& cache, const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                             SteadyTime read_at, const std::vector<Cursor>& cursors, bool equal,
                             const ShardCounts& counts) {
  for (size_t i = 0; i < articles.size(); ++i) {
    const ArticleRef& article = articles[i];
    Stored stored{.views = counts.counts[0][i],
                  .bot_views = counts.counts[1][i],
                  .viewers = counts.counts[2][i],
                  .read_at = read_at};
    for (size_t lane = 0; lane < lanes_.size() && !equal; ++lane) {
      // The counts may include parts whose answer the flusher has not received yet. They are subtracted, since Applied
      // adds them.
      const Ledger::LockedView still = lanes_[lane].ledger->Lock();
      const auto beyond = still.PendingTotals(cursors[lane], site, article.hash, article.id);
      const auto known = still.PendingTotals(still.CursorOf(shard), site, article.hash, article.id);
      stored.views += beyond.views - known.views;
      stored.bot_views += beyond.bot_views - known.bot_views;
    }
    Remember(cache, {site.index, article.hash, article.id}, stored);
  }
}

bool CountCache::Complete(const Site& site, Shard shard, const std::vector<ArticleRef>& articles,
                          const std::vector<Window>& windows, SteadyTime read_at, bool remember, ShardCounts& counts) {
  ShardCache& cache = shards_[shard.value];
  // While the mutex is held, no cursor moves. So the views after the cursors that were read stay in memory.
  const MutexLock lock(cache.mutex);
  std::vector<Cursor> cursors;
  bool equal = false;
  if (!CheckLocked(cache, shard, counts.lanes, cursors, equal)) return false;
  if (remember) RememberAll(cache, site, shard, articles, read_at, cursors, equal, counts);
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    const Ledger::LockedView still = lanes_[lane].ledger->Lock();
    for (size_t w = 0; w < windows.size(); ++w) {
      for (size_t i = 0; i < articles.size(); ++i) {
        counts.counts[w][i] += still.Pending(cursors[lane], site, articles[i].hash, articles[i].id, windows[w]);
      }
    }
  }
  return true;
}

}  // namespace viewcount
