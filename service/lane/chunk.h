// The views of a lane between two positions, folded into counts.
//
// One thread at a time while it is open; once sealed it never changes and any thread may read it. Owns the IDs it
// holds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/hash.h"
#include "service/base/identifiers.h"
#include "service/lane/article_index.h"
#include "service/lane/article_records.h"
#include "service/lane/block_pool.h"
#include "service/store/count_store.h"

namespace viewcount {

// Views by shard, people's and bots' together.
using ShardViews = std::array<uint64_t, limits::kShards>;

class Chunk {
 public:
  // Where views are counted apart: an hour of a day of a site. Days and hours do not nest, since days are the site's.
  struct Bucket {
    SiteIndex site;
    uint32_t hour = 0;
    uint32_t day = 0;

    bool operator==(const Bucket&) const = default;
    // Whether what is counted here belongs to the window; people's views and bots' lie in the same buckets.
    bool IsIn(Window window) const;
  };
  using Delta = ArticleRecords::Delta;
  using Article = ArticleRecords::Article;
  // What administrators changed here of one article. Rare, so it stands beside the articles and costs a view nothing.
  struct Adjusted {
    struct Note {
      std::string field;
      std::string text;
    };
    // What is added to each window; may be below 0.
    std::map<Window, int64_t> changes;
    // Of the site, kept with its empty article ID.
    std::vector<Note> notes;
  };
  static constexpr uint32_t kNone = ArticleRecords::kNone;

  // `from` is where the chunk before it ends.
  explicit Chunk(Position from) : Chunk(from, std::make_shared<BlockPool>(), 0) {}
  // With memory from `pool`, and from the beginning on with room for `expected_articles`.
  Chunk(Position from, std::shared_ptr<BlockPool> pool, size_t expected_articles)
      : from_(from), to_(from), pool_(std::move(pool)), index_(*pool_, expected_articles), articles_(*pool_) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  // The index of a bucket, for Add.
  uint32_t BucketIndex(const Bucket& bucket);
  // Counts `count` views (or bots' views) of an article; copies `id` if it is new. `expected` is what Expect said, or
  // null. Returns the article.
  const Article& Add(SiteIndex site, uint64_t hash, std::string_view id, uint32_t bucket, uint64_t count, bool bot,
                     Article* expected = nullptr);
  // For views that come many at once, so that the memory of all is fetched side by side: first Prefetch of each, then
  // Expect of each, then Add. Expect fetches what is likely the article; null if it is new.
  void Prefetch(uint64_t hash) const { index_.Prefetch(hash); }
  Article* Expect(uint64_t hash);
  const Article* Expect(uint64_t hash) const;
  // Notes who viewed an article of this chunk.
  void NoteViewer(const Article& article, uint64_t viewer) { article_viewers_.push_back({viewer, article.index}); }
  // Notes whom the site of the bucket saw; `slot` counts limits::kOnlineSlot since 1970. `known` if it has noted the
  // viewer on that day before, in this chunk or another. To be called with the chunk of the site's own shard, that of
  // its empty article ID.
  void NoteSiteViewer(uint32_t bucket, uint32_t slot, uint64_t viewer, bool known) {
    site_viewers_.push_back({viewer, bucket, slot, known});
  }
  // Counts a visit of the bucket's site on its day. `hash` is that of the site's empty article ID.
  void CountVisit(uint32_t bucket, uint64_t hash);
  // Adds `change`, of either sign, to one window of an article; an empty ID is the site's own start value.
  void Adjust(SiteIndex site, uint64_t hash, std::string_view id, Window window, int64_t change);
  // Keeps a note for the store. `hash` is that of the site's empty article ID.
  void AddNote(SiteIndex site, uint64_t hash, Adjusted::Note note);
  // Moves the end to `to`, which what was added since the last call led to.
  void Extend(Position to, SteadyTime receipt_time);

  Position from() const { return from_; }
  Position to() const { return to_; }
  bool empty() const { return to_ == from_; }
  // Sum of all views, bots' included, adjustments not.
  uint64_t views() const;
  // The same of one shard's articles.
  uint64_t views(Shard shard) const { return shard_views_[shard.value]; }
  const ShardViews& shard_views() const { return shard_views_; }
  // Approximate memory it takes.
  size_t bytes() const;
  // When the first batch in it was received.
  SteadyTime oldest() const { return oldest_; }

  // Nothing if the article has no views here.
  const Article* Find(SiteIndex site, uint64_t hash, std::string_view id) const;
  // Adjustments included, so it may be below 0.
  int64_t ViewsOf(const Article& article, Window window) const;
  // Of an article of this chunk; null if nothing of it was adjusted.
  const Adjusted* AdjustedOf(const Article& article) const {
    return adjusted_.empty() ? nullptr : FindAdjusted(article);
  }
  // Puts every day and hour in which something of the site is counted here into `windows`.
  void AddWindows(SiteIndex site, std::set<Window>& windows) const;
  const ArticleRecords& articles() const { return articles_; }
  std::span<const Bucket> buckets() const { return buckets_; }
  // How many levels of a bucket are kept: people's views there are below 2^(levels + 1) for every article.
  size_t LevelsOf(uint32_t bucket) const { return bucket < reached_.size() ? reached_[bucket].size() : 0; }
  // Indexes of the articles whose people's views in the bucket passed 2^level, in order of that, by views that came at
  // once only in the highest level they reached. From level 1 on, since all articles reach level 0.
  std::span<const uint32_t> ReachedIn(uint32_t bucket, size_t level) const { return reached_[bucket][level - 1]; }
  // In order of their views; one may come often.
  struct ArticleViewer {
    uint64_t viewer = 0;
    uint32_t article = 0;
  };
  struct SiteViewer {
    uint64_t viewer = 0;
    uint32_t bucket = 0;
    uint32_t slot : 31 = 0;
    // On that day.
    bool known : 1 = false;
  };
  std::span<const ArticleViewer> article_viewers() const { return article_viewers_; }
  std::span<const SiteViewer> site_viewers() const { return site_viewers_; }
  // Those of which AdjustedOf is not null, by index.
  const std::map<uint32_t, Adjusted>& adjusted() const { return adjusted_; }
  const Bucket& bucket(uint32_t index) const { return buckets_[index]; }
  // Calls `visit(const Delta&)` for every delta of the article.
  template <typename Visit>
  void ForEachDelta(const Article& article, Visit visit) const {
    if (article.delta.bucket == kNone) return;
    visit(article.delta);
    for (uint32_t at = article.delta.next; at != kNone; at = deltas_[at].next) visit(deltas_[at]);
  }

 private:
  const Adjusted* FindAdjusted(const Article& article) const;
  // The article, which is made if it is new.
  Article& Obtain(SiteIndex site, uint64_t hash, std::string_view id);
  // Of a bucket that is not the article's newest; made if it is new.
  Delta& DeltaOf(Article& article, uint32_t bucket);
  // Enters an article whose people's views in the bucket have just become so many, one more binary digit than before.
  void NoteReached(uint32_t article, uint32_t bucket, uint64_t views);

  const Position from_;
  Position to_;
  SteadyTime oldest_ = SteadyTime::max();
  ShardViews shard_views_{};

  const std::shared_ptr<BlockPool> pool_;
  ArticleIndex index_;
  ArticleRecords articles_;
  // Of articles with views in several buckets: all but the newest.
  std::vector<Delta> deltas_;
  std::vector<Bucket> buckets_;
  // By bucket and level: so a popular list looks at those articles alone that could be on it.
  std::vector<std::vector<std::vector<uint32_t>>> reached_;
  size_t reached_bytes_ = 0;
  // By index of the article.
  std::map<uint32_t, Adjusted> adjusted_;
  size_t adjusted_bytes_ = 0;
  std::vector<ArticleViewer> article_viewers_;
  std::vector<SiteViewer> site_viewers_;
};

}  // namespace viewcount
