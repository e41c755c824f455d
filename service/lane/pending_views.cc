#include "service/lane/pending_views.h"

#include <algorithm>
#include <utility>

#include "service/base/hash.h"

namespace viewcount {

PendingViews::PendingViews(std::unique_lock<Mutex> lock, const std::vector<SealedChunk>& sealed, const Chunk& open,
                           const ShardCursors& cursors, const Site& site, const WeightedWindows& windows)
    : lock_(std::move(lock)), cursors_(cursors), site_(site), windows_(windows) {
  for (const SealedChunk& chunk : sealed) Add(*chunk.chunk, chunk.shards, false);
  Add(open, ShardSet::All(), true);
}

void PendingViews::Add(const Chunk& chunk, ShardSet shards, bool open) {
  pieces_.push_back({.views = WindowViews(chunk, site_.index, windows_), .shards = shards, .open = open});
  places_ += pieces_.back().views.buckets().size();
}

int64_t PendingViews::Of(const Cursor& cursor, uint64_t hash, std::string_view id) const {
  const Shard shard = ShardOf(hash);
  int64_t sum = 0;
  for (const Piece& piece : pieces_) {
    if (!piece.shards.Has(shard)) continue;
    const Chunk& chunk = piece.views.chunk();
    if (!piece.open && cursor.Covers(chunk.to(), {site_.name, id})) continue;
    if (const Chunk::Article* article = chunk.Find(site_.index, hash, id)) sum += piece.views.Of(*article);
  }
  return sum;
}

size_t PendingViews::CountReaching(size_t level) const {
  size_t sum = 0;
  for (const Piece& piece : pieces_) {
    const Chunk& chunk = piece.views.chunk();
    if (level == 0 && !piece.views.buckets().empty()) sum += chunk.articles().size();
    for (const uint32_t bucket : piece.views.buckets()) {
      for (size_t reached = chunk.LevelsOf(bucket); level > 0 && reached >= level; --reached) {
        sum += chunk.ReachedIn(bucket, reached).size();
      }
    }
  }
  return sum;
}

}  // namespace viewcount
