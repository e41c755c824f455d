// The rankings of a window, read once from all shards, and the popular list of this moment that they and all pending
// views make. In place of one window there may be several, whose views are added up; RankingSums prepares their
// rankings.
//
// The list of one window is exact for the following reason. An article without pending views that is among the highest
// N ≤ K of all articles is also among the highest K of its shard. So it is ranked there. An article that is not ranked
// needs pending views to enter the list. Its count is at most its shard's lowest ranked count plus its pending views.
// If that could reach the N-th place, its exact count is read. (This is the idea of Fagin's threshold algorithm. Fagin,
// Lotem, Naor, "Optimal aggregation algorithms for middleware", 2001.) Pending views also raise the N-th place. So few
// of all pending articles have enough views to reach it, and only these are examined: see PendingViews.
//
// Pending adjustments may lower counts. A ranked article may then have to make room for one that is not ranked and has
// nothing pending. Only the store knows that article, but its count is at most its shard's lowest ranked count. So if a
// ranked article of a shard is lowered, the list is exact only if all its counts are above that count. Otherwise the
// list states by how much it may be wrong, until the adjustment is flushed.
//
// The store has no common ranking of several windows. The articles whose sums were read take the place of the ranked
// ones, and the sum of any other stored article is bounded. The list is exact if all its counts are above that bound.
// So is a list of one window that is longer than the window's rankings.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/lane/ledger.h"
#include "service/query/ranked_pending.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

struct PopularArticle {
  std::string article_id;
  uint64_t views = 0;
};

// The order of lists: by views descending, then by ID ascending.
inline bool ComesBefore(const PopularArticle& one, const PopularArticle& other) {
  return one.views != other.views ? one.views > other.views : one.article_id < other.article_id;
}

struct PopularList {
  // By views descending, then by ID ascending. At most as many as requested, and none without views.
  std::vector<PopularArticle> articles;
  // True if no article is missing and every count is exact.
  bool exact = true;
  // False if the counts of the listed articles may be out of date.
  bool current = true;
  // If the list is not exact, no missing article has more views than this.
  uint64_t error_bound = 0;
  int64_t as_of_unix_ms = 0;
};

// Not thread-safe.
class RankedWindow {
 public:
  // The rankings read from the shards.
  struct Rankings {
    std::array<Ranking, limits::kShards> shards;
    // True if an article that is not ranked may belong on the list. That is so for sums of several windows, and for
    // lists that are longer than a ranking.
    bool incomplete = false;
    // For every lane, the cursor of every shard.
    std::vector<ShardCursors> cursors;
    // For every lane, a mark taken before the shards were read.
    std::vector<Ledger::Snapshot> marks;
    int64_t as_of_unix_ms = 0;
  };
  // The list has up to `places` articles. With weights, all counts are weighted sums. `ledgers`, one for each lane,
  // must outlive this object.
  RankedWindow(std::shared_ptr<const Site> site, WeightedWindows windows, size_t places,
               std::span<Ledger* const> ledgers, Rankings rankings);

  // An article that is not ranked, but may belong on the list because of its pending views.
  struct Candidate {
    std::string id;
    uint64_t hash = 0;
    int64_t pending = 0;
    // Its pending views plus the most that it can have stored.
    int64_t views_max = 0;
  };
  struct Answer {
    PopularList list;
    // Articles that may be missing from the list: the `kCandidatesMax` articles with the highest possible counts.
    std::vector<Candidate> candidates;
    // True if there are more candidates.
    bool more_candidates = false;
  };
  static constexpr size_t kCandidatesMax = 4'096;
  // kOne: at most one candidate, to learn whether there are any. kNear: also articles that lack up to a quarter of the
  // views that the list requires, because they may be needed soon.
  enum class Candidates : uint8_t { kOne, kNear };
  // Returns the list of this moment. Returns nothing if a chunk was sealed and dropped since the last call: the shards
  // must be read again.
  std::optional<Answer> Complete(Candidates which);

  // Records the stored counts of candidates of one shard. They were read after the rankings, when the lanes' cursors of
  // the shard were `cursors`. Returns false if the shards must be read again.
  struct Stored {
    std::string id;
    uint64_t hash = 0;
    int64_t views = 0;
  };
  bool AddStored(std::span<const Stored> articles, std::span<const Cursor> cursors);
  // Adds the candidates that were recorded meanwhile to the list, which remains the list of its moment. Removes
  // candidates that are no longer needed. Must not be called if `more_candidates` is true.
  void Settle(Answer& answer) const;
  // Returns the recorded articles that are still near the list, as candidates for the next rankings.
  std::vector<Candidate> TrackedCandidates() const;
  // Returns the number of recorded articles.
  size_t added() const { return added_.size(); }

 private:
  struct Ranked {
    std::string_view id;
    uint64_t hash = 0;
    int64_t views = 0;
  };
  struct Key {
    uint64_t hash = 0;
    std::string_view id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Waiting;
  struct Merge;

  std::optional<std::vector<PendingViews>> HoldPending();
  void AddSealed();
  // These functions add to the results of Merge, in this order.
  void AddFollowed(Merge& merge);
  void AddNew(Merge& merge) const;
  void AddAdjusted(Merge& merge) const;
  void AddRisen(Merge& merge) const;
  void Consider(Merge& merge, uint64_t hash, std::string_view id) const;
  Answer Finish(Merge& merge);

  const std::shared_ptr<const Site> site_;
  const WeightedWindows windows_;
  const size_t places_;
  const std::span<Ledger* const> ledgers_;
  Rankings rankings_;
  // The ranked articles, followed by the recorded ones.
  RankedPending followed_;
  size_t ranked_ = 0;
  // The indexes of the highest articles at the last Complete.
  std::vector<uint32_t> highest_;
  // The number of views that the list required at the last Complete.
  int64_t least_ = 1;
  // The highest count that the store may hold of an article that is not ranked.
  uint64_t unlisted_views_max_ = 0;
  // The indexes of the articles in followed_.
  boost::unordered_flat_map<Key, uint32_t, KeyHash> indexes_;
  std::deque<std::string> added_;
};

}  // namespace viewcount
