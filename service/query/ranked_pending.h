// What some articles have by now in a window, stored and pending together: those that its rankings name, and others
// that come to be of interest.
//
// Of a chunk that is sealed they are looked up once. In the open one it is remembered where they stand, so that asking
// again is one look at each of some thousand articles instead of a search for it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "service/lane/pending_views.h"
#include "service/sites/site.h"
#include "service/store/cursor.h"

namespace viewcount {

// One thread at a time.
class RankedPending {
 public:
  struct Article {
    std::string_view id;
    uint64_t hash = 0;
    int64_t stored = 0;
  };
  RankedPending(const Site& site, Window window, size_t lanes) : site_(site), window_(window), lanes_(lanes) {}

  // Whose IDs must outlive it. Before AddSealed.
  void SetArticles(std::vector<Article> articles);
  // One more, with what all sealed chunks that were added hold of it.
  void AddArticle(const Article& article, int64_t pending_sealed);
  const std::vector<Article>& articles() const { return articles_; }

  // Adds what lies beyond `cursors`, which are the same in all calls, in those of a lane's sealed chunks that were not
  // added before.
  void AddSealed(size_t lane, std::span<const SealedChunk> sealed, const ShardCursors& cursors);
  // Adds what every lane's open chunk has now; behind AddSealed, while the ledgers are held.
  void Complete(std::span<const PendingViews> held);
  // Of an article by its index, at the last Complete.
  int64_t views(size_t article) const { return views_[article]; }

 private:
  struct Found {
    uint32_t article = 0;
    const Chunk::Article* place = nullptr;
  };
  struct Lane {
    // Kept alive, so that none of them is taken for a later chunk in the same memory.
    std::vector<std::shared_ptr<const Chunk>> added;
    // The chunk that was open at the last Complete, and where the articles stand in it.
    const Chunk* open = nullptr;
    size_t open_articles = 0;
    std::vector<Found> found;
    std::vector<uint32_t> missing;
  };

  // Looks for the missing articles of a chunk.
  void Find(const Chunk& chunk, Lane& lane) const;
  void Open(const Chunk& chunk, Lane& lane) const;
  void AddFound(const Chunk& chunk, const Lane& lane, std::vector<int64_t>& sums) const;

  const Site& site_;
  const Window window_;
  std::vector<Lane> lanes_;
  std::vector<Article> articles_;
  // Stored, and pending in sealed chunks.
  std::vector<int64_t> settled_;
  std::vector<int64_t> views_;
};

}  // namespace viewcount
