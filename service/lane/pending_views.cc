#include "service/lane/pending_views.h"

#include <utility>

#include "service/base/hash.h"

namespace viewcount {

PendingViews::PendingViews(std::unique_lock<Mutex> lock, const std::vector<SealedChunk>& sealed, const Chunk& open,
                           const ShardCursors& cursors, const Site& site, Window window)
    : lock_(std::move(lock)), cursors_(cursors), site_(site), window_(window) {
  for (const SealedChunk& chunk : sealed) Add(*chunk.chunk, chunk.shards, false);
  Add(open, ShardSet::All(), true);
}

void PendingViews::Add(const Chunk& chunk, ShardSet shards, bool open) {
  Piece piece{.chunk = &chunk, .shards = shards, .open = open, .buckets = {}};
  const auto buckets = chunk.buckets();
  for (uint32_t i = 0; i < buckets.size(); ++i) {
    if (buckets[i].site != site_.index || !buckets[i].IsIn(window_)) continue;
    piece.buckets.push_back(i);
  }
  places_ += piece.buckets.size();
  pieces_.push_back(std::move(piece));
}

int64_t PendingViews::Of(const Cursor& cursor, uint64_t hash, std::string_view id) const {
  const Shard shard = ShardOf(hash);
  int64_t sum = 0;
  for (const Piece& piece : pieces_) {
    if (!piece.shards.Has(shard)) continue;
    if (!piece.open && cursor.Covers(piece.chunk->to(), {site_.name, id})) continue;
    if (const Chunk::Article* article = piece.chunk->Find(site_.index, hash, id)) {
      sum += piece.chunk->ViewsOf(*article, window_);
    }
  }
  return sum;
}

size_t PendingViews::CountReaching(size_t level) const {
  size_t sum = 0;
  for (const Piece& piece : pieces_) {
    if (level == 0 && !piece.buckets.empty()) sum += piece.chunk->articles().size();
    for (const uint32_t bucket : piece.buckets) {
      for (size_t reached = piece.chunk->LevelsOf(bucket); level > 0 && reached >= level; --reached) {
        sum += piece.chunk->ReachedIn(bucket, reached).size();
      }
    }
  }
  return sum;
}

}  // namespace viewcount
