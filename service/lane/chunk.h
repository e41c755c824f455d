// The views of a lane between two positions of its journal, folded into counts.
//
// An open chunk may be used by one thread at a time. A sealed chunk never changes and any thread may read it. A chunk
// owns the article IDs that it holds.
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
#include "service/model/window.h"

namespace viewcount {

// The number of views in each shard, by people and bots together.
using ShardViews = std::array<uint64_t, limits::kShards>;

// A chunk (in other storage engines: a memtable). The comment at the top of this file states thread safety and
// ownership.
class Chunk {
 public:
  // A bucket: views are counted separately for each hour of each day of each site. Days and hours do not nest, because
  // days follow the site's time zone.
  struct Bucket {
    SiteIndex site;
    uint32_t hour = 0;
    uint32_t day = 0;

    bool operator==(const Bucket&) const = default;
    // Returns whether the views in this bucket belong to the window. People's views and bots' views lie in the same
    // buckets.
    bool IsIn(Window window) const;
  };
  using Delta = ArticleRecords::Delta;
  using Article = ArticleRecords::Article;
  // The adjustments of one article. They are rare, so they are stored beside the articles and cost a view nothing.
  struct Adjusted {
    struct Note {
      std::string field;
      std::string text;
    };
    // The number that is added to each window. It may be negative.
    std::map<Window, int64_t> changes;
    // The site's notes. They are stored with the site's empty article ID.
    std::vector<Note> notes;
  };
  static constexpr uint32_t kNone = ArticleRecords::kNone;

  // Creates an open chunk that begins at `from`, where the previous chunk ends.
  explicit Chunk(Position from) : Chunk(from, std::make_shared<BlockPool>(), 0) {}
  // Does the same with memory from `pool` and with room for `expected_articles` from the beginning.
  Chunk(Position from, std::shared_ptr<BlockPool> pool, size_t expected_articles)
      : from_(from), to_(from), pool_(std::move(pool)), index_(*pool_, expected_articles), articles_(*pool_) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  // Returns the index of a bucket, for Add. Creates the bucket if it is new.
  uint32_t BucketIndex(const Bucket& bucket);
  // Adds `count` views by people (or by bots, if `bot`) to an article and returns the article. Copies `id` if the
  // article is new. `expected` is the result of Expect, or null.
  const Article& Add(SiteIndex site, uint64_t hash, std::string_view id, uint32_t bucket, uint64_t count, bool bot,
                     Article* expected = nullptr);
  // Prefetch and Expect make the memory accesses of many views overlap. Call Prefetch for each view, then Expect for
  // each, then Add for each. Expect starts to load the article that probably has this hash. It returns null if the
  // article is new.
  void Prefetch(uint64_t hash) const { index_.Prefetch(hash); }
  Article* Expect(uint64_t hash);
  const Article* Expect(uint64_t hash) const;
  // Records that `viewer` viewed an article of this chunk.
  void NoteViewer(const Article& article, uint64_t viewer) { article_viewers_.push_back({viewer, article.index}); }
  // Records that the bucket's site saw `viewer`. `slot` is the number of limits::kOnlineSlot intervals since 1970.
  // `known` means that this chunk or another one has already recorded the viewer on that day. Call it on the chunk of
  // the site's own shard, which is the shard of its empty article ID.
  void NoteSiteViewer(uint32_t bucket, uint32_t slot, uint64_t viewer, bool known) {
    site_viewers_.push_back({viewer, bucket, slot, known});
  }
  // Counts a visit to the bucket's site on the bucket's day. `hash` is the hash of the site's empty article ID.
  void CountVisit(uint32_t bucket, uint64_t hash);
  // Adds `change`, which may be negative, to one window of an article. The empty ID means the site's own start value.
  void Adjust(SiteIndex site, uint64_t hash, std::string_view id, Window window, int64_t change);
  // Keeps a note for the store. `hash` is the hash of the site's empty article ID.
  void AddNote(SiteIndex site, uint64_t hash, Adjusted::Note note);
  // Moves the chunk's end to `to`, the journal position after everything that was added since the last call. `to` must
  // be after the present end. `receipt_time` is when the oldest of these additions was received.
  void Extend(Position to, SteadyTime receipt_time);

  // The chunk covers the journal from from() to to(). It is empty until the first Extend.
  Position from() const { return from_; }
  Position to() const { return to_; }
  bool empty() const { return to_ == from_; }
  // Returns the sum of all views, including bots' views but not adjustments.
  uint64_t views() const;
  // Returns the same sum for the articles of one shard.
  uint64_t views(Shard shard) const { return shard_views_[shard.value]; }
  const ShardViews& shard_views() const { return shard_views_; }
  // Returns the approximate memory in bytes.
  size_t bytes() const;
  // Returns when the chunk's oldest batch was received.
  SteadyTime oldest() const { return oldest_; }

  // Returns the article, or null if the chunk does not have it.
  const Article* Find(SiteIndex site, uint64_t hash, std::string_view id) const;
  // Returns the article's views in the window. Adjustments are included, so the result may be negative.
  int64_t ViewsOf(const Article& article, Window window) const;
  // Returns the adjustments of an article of this chunk, or null if there are none.
  const Adjusted* AdjustedOf(const Article& article) const {
    return adjusted_.empty() ? nullptr : FindAdjusted(article);
  }
  // Adds to `windows` every day and hour in which this chunk counts something of the site.
  void AddWindows(SiteIndex site, std::set<Window>& windows) const;
  const ArticleRecords& articles() const { return articles_; }
  std::span<const Bucket> buckets() const { return buckets_; }
  // Returns how many levels a bucket has. Every article has fewer than 2^(levels + 1) views by people in the bucket.
  size_t LevelsOf(uint32_t bucket) const { return bucket < reached_.size() ? reached_[bucket].size() : 0; }
  // Returns the indexes of the articles whose views by people in the bucket reached 2^level, in the order in which that
  // happened. An article that passes several levels in one step is listed only at the highest of them. Levels begin at
  // 1, since all articles reach level 0.
  std::span<const uint32_t> ReachedIn(uint32_t bucket, size_t level) const { return reached_[bucket][level - 1]; }
  // Article viewers are in order of their views. A viewer may occur several times.
  struct ArticleViewer {
    uint64_t viewer = 0;
    uint32_t article = 0;
  };
  struct SiteViewer {
    uint64_t viewer = 0;
    uint32_t bucket = 0;
    uint32_t slot : 31 = 0;
    // The viewer was already recorded on that day.
    bool known : 1 = false;
  };
  std::span<const ArticleViewer> article_viewers() const { return article_viewers_; }
  std::span<const SiteViewer> site_viewers() const { return site_viewers_; }
  // Returns all adjusted articles, that is, those for which AdjustedOf is not null, by article index.
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
  // Returns the article, and creates it if it is new.
  Article& Obtain(SiteIndex site, uint64_t hash, std::string_view id);
  // Returns the article's delta in a bucket that is not its newest one. Creates the delta if it is new.
  Delta& DeltaOf(Article& article, uint32_t bucket);
  // Lists an article at the level of `views`, its new number of views by people in the bucket. That number has just
  // gained a binary digit.
  void NoteReached(uint32_t article, uint32_t bucket, uint64_t views);

  const Position from_;
  Position to_;
  SteadyTime oldest_ = SteadyTime::max();
  ShardViews shard_views_{};

  const std::shared_ptr<BlockPool> pool_;
  ArticleIndex index_;
  ArticleRecords articles_;
  // For articles with views in several buckets: the deltas of all buckets but the newest.
  std::vector<Delta> deltas_;
  std::vector<Bucket> buckets_;
  // Article indexes by bucket and level. A popular list thus checks only the articles that could be in it.
  std::vector<std::vector<std::vector<uint32_t>>> reached_;
  size_t reached_bytes_ = 0;
  // Adjustments by article index.
  std::map<uint32_t, Adjusted> adjusted_;
  size_t adjusted_bytes_ = 0;
  // The windows that adjustments change, by site. An import changes a million articles in few windows.
  std::set<std::pair<SiteIndex, Window>> adjusted_windows_;
  std::vector<ArticleViewer> article_viewers_;
  std::vector<SiteViewer> site_viewers_;
};

}  // namespace viewcount
