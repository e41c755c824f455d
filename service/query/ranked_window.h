// The shards' rankings of a window as they were read once, and the popular list that they and everything pending make
// now.
//
// Why that is exact: among the highest N ≤ K of all, an article with nothing pending is among the highest K of its
// shard, and so ranked there. One that is not ranked needs pending views to get in; its count is at most its shard's
// lowest ranked one plus what is pending, and where that could reach the N-th place its exact count is read (the idea
// of Fagin's threshold algorithm: Fagin, Lotem, Naor, "Optimal aggregation algorithms for middleware", 2001). What is
// pending raises the N-th place too, so that few of all pending articles have enough to reach it: those alone are
// looked at, see PendingViews.
//
// Adjustments that are pending may lower counts. Then a ranked article may have to make room for one that is not ranked
// and has nothing pending; nobody but the store knows that one, but it has no more views than its shard's lowest ranked
// count. So where a ranked article of a shard is lowered, the list is exact only if all of it lies above that count;
// else it says by how much it may be wrong, until the adjustment is flushed.
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

struct PopularList {
  // By views falling, then ID rising; at most limits::kRankedAllTimeAndDay, none without views.
  std::vector<PopularArticle> articles;
  bool exact = true;
  // If not exact: no article that is missing has more.
  uint64_t error_bound = 0;
  int64_t as_of_unix_ms = 0;
};

// One thread at a time.
class RankedWindow {
 public:
  // What was read of the shards.
  struct Rankings {
    std::array<ShardRanking, limits::kShards> shards;
    // For every lane, every shard's cursor.
    std::vector<ShardCursors> cursors;
    // For every lane, taken before the shards were read.
    std::vector<Ledger::Mark> marks;
    int64_t as_of_unix_ms = 0;
  };
  // `ledgers`, one for each lane, must outlive it.
  RankedWindow(std::shared_ptr<const Site> site, Window window, std::span<Ledger* const> ledgers, Rankings rankings);

  // An article that is not ranked but may have to be on the list, for the views it has pending.
  struct Contender {
    std::string id;
    uint64_t hash = 0;
    int64_t pending = 0;
    // With the most that it can have stored.
    int64_t views_max = 0;
  };
  struct Answer {
    PopularList list;
    // Those that may be missing for all that is known: the highest `kContendersMax` by what they could have at most.
    std::vector<Contender> contenders;
    // There are others.
    bool more_contenders = false;
  };
  static constexpr size_t kContendersMax = 4'096;
  // kOne: to know whether there are any. kNear: also those that lack a quarter of what it takes, which may soon be
  // asked for.
  enum class Contenders : uint8_t { kOne, kNear };
  // Of this moment. Nothing if a chunk came and went since the last call: the shards must be read again.
  std::optional<Answer> Complete(Contenders which);

  // Takes note of what the store has of a contender, read behind the rankings, when the lanes' cursors of its shard
  // were `cursors`. False as above.
  struct Stored {
    std::string id;
    uint64_t hash = 0;
    int64_t views = 0;
  };
  bool AddStored(std::span<const Stored> articles, std::span<const Cursor> cursors);
  // Puts the contenders of which note was taken meanwhile on the list, which stays that of its moment, and lets go of
  // those that are not needed. Not if there are more.
  void Settle(Answer& answer) const;
  // Those of which note was taken that are still near the list, for the next rankings.
  std::vector<Contender> Followed() const;
  // How many it has taken note of.
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
  // These add to what Merge found, in this order.
  void AddFollowed(Merge& merge);
  void AddNew(Merge& merge) const;
  void AddAdjusted(Merge& merge) const;
  void AddRisen(Merge& merge) const;
  void Consider(Merge& merge, uint64_t hash, std::string_view id) const;
  Answer Finish(Merge& merge);

  const std::shared_ptr<const Site> site_;
  const Window window_;
  const std::span<Ledger* const> ledgers_;
  Rankings rankings_;
  // Those that are ranked, and then those of which note was taken.
  RankedPending followed_;
  size_t ranked_ = 0;
  // The highest of them at the last Complete, by index.
  std::vector<uint32_t> highest_;
  // What it took then to be on the list.
  int64_t least_ = 1;
  // The highest that an article may have stored that is not ranked.
  uint64_t unlisted_views_max_ = 0;
  // Their indexes.
  boost::unordered_flat_map<Key, uint32_t, KeyHash> indexes_;
  std::deque<std::string> added_;
};

}  // namespace viewcount
