// Shows the views that a ledger has beyond cursors that were read earlier, in some windows together and at one moment.
//
// A popular list needs few of perhaps a million pending articles. It needs articles whose count it requests by name,
// and articles with many views. Chunks list the latter by powers of two. A place is one bucket of one chunk. An article
// with n pending views has at least n divided by `places()` of them in one place. A search for articles with n views
// therefore only visits articles that reached that number in a place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "service/base/mutex.h"
#include "service/lane/chunk.h"
#include "service/lane/window_views.h"
#include "service/model/cursor.h"
#include "service/sites/site.h"

namespace viewcount {

using ShardCursors = std::array<Cursor, limits::kShards>;

// A chunk that does not change any more, and the shards whose views it is responsible for.
struct SealedChunk {
  std::shared_ptr<const Chunk> chunk;
  ShardSet shards;
};

// A locked view of the ledger's pending counts, made by Ledger::HoldPending. Not thread-safe. Folding waits while it
// exists, so keep it short. The IDs that it returns are valid while it exists.
class PendingViews {
 public:
  // `lock` must hold the ledger's mutex. `sealed`, `open`, `cursors`, `site` and `windows` must outlive this object.
  PendingViews(std::unique_lock<Mutex> lock, const std::vector<SealedChunk>& sealed, const Chunk& open,
               const ShardCursors& cursors, const Site& site, const WeightedWindows& windows);

  // Returns the article's pending views in the windows, weighted. Adjustments are included, so the result may be
  // negative.
  int64_t Of(uint64_t hash, std::string_view id) const { return Of(cursors_[ShardOf(hash).value], hash, id); }
  // Returns the views beyond another cursor of that shard. It must not be before the shard's cursor in `cursors`.
  int64_t Of(const Cursor& cursor, uint64_t hash, std::string_view id) const;
  // Returns the open chunk. No cursor covers anything in it.
  const Chunk& open() const { return pieces_.back().views.chunk(); }

  // Returns the number of places: buckets of chunks that lie in the windows.
  size_t places() const { return places_; }
  // Returns how many calls ForEachReaching makes for this level.
  size_t CountReaching(size_t level) const;
  // Calls `visit(article, views)` at least once for every article that has 2^level views in one place, without weights.
  // `views` is the WindowViews of the chunk of that place. Articles with fewer views, and views that the cursors cover,
  // are visited too.
  template <typename Visit>
  void ForEachReaching(size_t level, Visit visit) const {
    for (const Piece& piece : pieces_) {
      const Chunk& chunk = piece.views.chunk();
      if (level == 0 && !piece.views.buckets().empty()) {
        for (const Chunk::Article& article : chunk.articles()) {
          if (article.site == site_.index) visit(article, piece.views);
        }
      }
      for (const uint32_t bucket : piece.views.buckets()) {
        for (size_t reached = chunk.LevelsOf(bucket); level > 0 && reached >= level; --reached) {
          for (const uint32_t index : chunk.ReachedIn(bucket, reached)) visit(chunk.articles()[index], piece.views);
        }
      }
    }
  }
  // Calls `visit(article)` for every adjusted article, except for the site itself.
  template <typename Visit>
  void ForEachAdjusted(Visit visit) const {
    for (const Piece& piece : pieces_) {
      const Chunk& chunk = piece.views.chunk();
      for (const auto& [index, adjusted] : chunk.adjusted()) {
        const Chunk::Article& article = chunk.articles()[index];
        if (article.site == site_.index && !article.id.empty()) visit(article);
      }
    }
  }

 private:
  struct Piece {
    WindowViews views;
    ShardSet shards;
    // Cursors are not compared with the open chunk, because no cursor ever covers it. While nothing in it is durable,
    // it ends where it begins.
    bool open;
  };
  void Add(const Chunk& chunk, ShardSet shards, bool open);

  std::unique_lock<Mutex> lock_;
  const ShardCursors& cursors_;
  const Site& site_;
  const WeightedWindows& windows_;
  std::vector<Piece> pieces_;
  size_t places_ = 0;
};

}  // namespace viewcount
