// What a ledger has beyond cursors that were read earlier, in one window, of one moment.
//
// A popular list needs few of perhaps a million pending articles: those whose count is asked for by name, and those
// with many views, which the chunks keep by powers of two. An article with n views pending has at least n divided by
// `places()` of them in one place, a bucket of a chunk; so whoever looks for n finds it among those that reached that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "service/lane/chunk.h"
#include "service/sites/site.h"
#include "service/store/cursor.h"

namespace viewcount {

using ShardCursors = std::array<Cursor, limits::kShards>;

// A chunk that does not change any more, and the shards whose views it holds for good.
struct SealedChunk {
  std::shared_ptr<const Chunk> chunk;
  ShardSet shards;
};

// While it lives, folding waits: keep it short. Made by Ledger::HoldPending. IDs it tells are valid as long as it is.
class PendingViews {
 public:
  // `sealed`, `cursors` and `site` must outlive it.
  PendingViews(std::unique_lock<std::mutex> lock, const std::vector<SealedChunk>& sealed, const Chunk& open,
               const ShardCursors& cursors, const Site& site, Window window);

  // Adjustments included, so it may be below 0.
  int64_t Of(uint64_t hash, std::string_view id) const { return Of(cursors_[ShardOf(hash).value], hash, id); }
  // The same beyond another cursor of that shard, not before the one given.
  int64_t Of(const Cursor& cursor, uint64_t hash, std::string_view id) const;
  // The chunk that is folded into, of which no cursor covers anything.
  const Chunk& open() const { return *pieces_.back().chunk; }

  size_t places() const { return places_; }
  // How many calls ForEachReaching makes.
  size_t CountReaching(size_t level) const;
  // Calls `visit(article, views)` for every article that has 2^level views in one place, at least once, with those in a
  // chunk where it has them; for others too, and for what the cursors cover.
  template <typename Visit>
  void ForEachReaching(size_t level, Visit visit) const {
    for (const Piece& piece : pieces_) {
      if (level == 0 && !piece.buckets.empty()) {
        for (const Chunk::Article& article : piece.chunk->articles()) {
          if (article.site == site_.index) visit(article, piece.chunk->ViewsOf(article, window_));
        }
      }
      for (const uint32_t bucket : piece.buckets) {
        for (size_t reached = piece.chunk->LevelsOf(bucket); level > 0 && reached >= level; --reached) {
          for (const uint32_t index : piece.chunk->ReachedIn(bucket, reached)) {
            const Chunk::Article& article = piece.chunk->articles()[index];
            visit(article, piece.chunk->ViewsOf(article, window_));
          }
        }
      }
    }
  }
  // Calls `visit(article)` for every article that was adjusted; not for the site itself.
  template <typename Visit>
  void ForEachAdjusted(Visit visit) const {
    for (const Piece& piece : pieces_) {
      for (const auto& [index, adjusted] : piece.chunk->adjusted()) {
        const Chunk::Article& article = piece.chunk->articles()[index];
        if (article.site == site_.index && !article.id.empty()) visit(article);
      }
    }
  }

 private:
  struct Piece {
    const Chunk* chunk;
    ShardSet shards;
    // While nothing is durable in it, it ends where it begins, and no cursor ever covers it.
    bool open;
    // Those in the window.
    std::vector<uint32_t> buckets;
  };
  void Add(const Chunk& chunk, ShardSet shards, bool open);

  std::unique_lock<std::mutex> lock_;
  const ShardCursors& cursors_;
  const Site& site_;
  const Window window_;
  std::vector<Piece> pieces_;
  size_t places_ = 0;
};

}  // namespace viewcount
