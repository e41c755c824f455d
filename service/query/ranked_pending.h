// The counts of selected articles in some windows together, stored and pending views together. These articles are those
// that the windows' rankings name, and others that are added later.
//
// A sealed chunk is searched for the articles once. In the open chunk, the articles' places are remembered. So a later
// call reads some thousand known places instead of searching for each article.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "service/lane/pending_views.h"
#include "service/model/cursor.h"
#include "service/sites/site.h"

namespace viewcount {

// Not thread-safe.
class RankedPending {
 public:
  struct Article {
    std::string_view id;
    uint64_t hash = 0;
    int64_t stored = 0;
  };
  // `site` and `windows` must outlive this object.
  RankedPending(const Site& site, const WeightedWindows& windows, size_t lanes)
      : site_(site), windows_(windows), lanes_(lanes) {}

  // Sets the articles, whose IDs must outlive this object. Must be called before AddSealed.
  void SetArticles(std::vector<Article> articles);
  // Adds one article. `pending_sealed` is its number of views in all sealed chunks that were added.
  void AddArticle(const Article& article, int64_t pending_sealed);
  const std::vector<Article>& articles() const { return articles_; }

  // Adds a lane's pending views after `cursors`, from those of its sealed chunks that were not added before. `cursors`
  // must be the same in all calls.
  void AddSealed(size_t lane, std::span<const SealedChunk> sealed, const ShardCursors& cursors);
  // Adds the views of every lane's open chunk. Must be called after AddSealed, while the ledgers are held.
  void Complete(std::span<const PendingViews> held);
  // Returns the count at the last Complete of an article, given by its index.
  int64_t views(size_t article) const { return views_[article]; }

 private:
  struct Found {
    uint32_t article = 0;
    const Chunk::Article* place = nullptr;
  };
  struct Lane {
    // These chunks are kept alive, so that none of them is confused with a later chunk at the same address.
    std::vector<std::shared_ptr<const Chunk>> added;
    // The chunk that was open at the last Complete, and the articles' places in it.
    const Chunk* open = nullptr;
    size_t open_articles = 0;
    std::vector<Found> found;
    std::vector<uint32_t> missing;
  };

  // Searches a chunk for the articles that are still missing there.
  void Find(const Chunk& chunk, Lane& lane) const;
  void Open(const Chunk& chunk, Lane& lane) const;
  void AddFound(const Chunk& chunk, const Lane& lane, std::vector<int64_t>& sums) const;

  const Site& site_;
  const WeightedWindows& windows_;
  std::vector<Lane> lanes_;
  std::vector<Article> articles_;
  // Stored views, and views pending in sealed chunks.
  std::vector<int64_t> settled_;
  std::vector<int64_t> views_;
};

}  // namespace viewcount
