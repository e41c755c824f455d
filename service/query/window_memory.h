// Rankings and counts that were read from the store, and that hold as long as their hash has the version that it had
// then.
//
// A list of 400 days needs the rankings of 400 hashes in each of 64 shards. It also needs the counts of some thousand
// articles in all of them. Nearly all of these hashes belong to days that have ended, so they seldom change. Reading a
// hash's version takes Redis a thirtieth of the time of reading 32 places of its ranking.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/identifiers.h"
#include "service/model/weighted_windows.h"
#include "service/store/count_store.h"

namespace viewcount {

// Numbers for the IDs of articles, so that each ID is kept once. Only grows. Not thread-safe.
class ArticleNumbers {
 public:
  // Returns the number of an article, which gets the next one if it has none yet.
  uint32_t Assign(std::string_view id);
  // Returns nothing if the article has no number.
  std::optional<uint32_t> Find(std::string_view id) const;
  // The text is valid as long as this object.
  std::string_view IdOf(uint32_t article) const { return ids_[article]; }
  size_t size() const { return ids_.size(); }

 private:
  std::deque<std::string> ids_;
  boost::unordered_flat_map<std::string_view, uint32_t> numbers_;
};

// A place in a ranking.
struct RankedNumber {
  uint32_t article = 0;
  int64_t views = 0;
};
// A ranking with numbers in place of IDs. The places are valid until the window's memory changes.
struct NumberedRanking {
  std::span<const RankedNumber> places;
  // See Ranking::unlisted_views_max.
  uint64_t unlisted_views_max = 0;
};

// The remembered windows of one shard of a site. Not thread-safe.
class ShardMemory {
 public:
  // Returns the reads that tell whether the remembered rankings still hold. They also read rankings that are not known
  // up to that place.
  std::vector<WindowRead> PlanRankings(std::span<const Window> windows, size_t places) const;
  // Returns the reads that tell whether the counts of these articles still hold, and that read those not known.
  std::vector<WindowRead> PlanCounts(std::span<const Window> windows, std::span<const std::string_view> ids) const;
  // Returns for each article the number of windows in which its count is not known.
  std::vector<size_t> CountUnknown(std::span<const Window> windows, std::span<const std::string_view> ids) const;
  // Takes over what was read. Forgets what was known of a window if its version is another one.
  void Learn(std::span<const WindowRead> reads, std::span<const WindowState> states);

  // Returns the rankings up to that place; nothing if one of them is not known.
  std::optional<std::vector<NumberedRanking>> FindRankings(std::span<const Window> windows, size_t places) const;
  // Returns each article's weighted sum; nothing if one of the counts is not known.
  std::optional<std::vector<int64_t>> FindSums(const WeightedWindows& windows,
                                               std::span<const std::string_view> ids) const;
  // Holders keep the IDs beyond the life of the memory.
  std::shared_ptr<const ArticleNumbers> numbers() const { return numbers_; }

 private:
  friend class WindowMemory;
  struct Known {
    HashVersion version;
    // The number of places that were requested. 0 if the ranking was not read.
    size_t places = 0;
    std::vector<RankedNumber> ranked;
    uint64_t unlisted_views_max = 0;
    boost::unordered_flat_map<uint32_t, int64_t> counts;
    // True if its version had changed when it was last read. It is read as a whole then, because it will have changed
    // again, as that of the present hour.
    bool changing = false;
    // Grows with every use.
    uint64_t used = 0;
  };
  // Both return null if there is none. FindSteady also leaves out windows that are changing.
  const Known* Find(Window window) const;
  const Known* FindSteady(Window window) const;
  // Returns the articles' numbers; nothing for those that have none.
  std::vector<std::optional<uint32_t>> NumbersOf(std::span<const std::string_view> ids) const;
  size_t entries() const;

  std::map<Window, Known> windows_;
  std::shared_ptr<ArticleNumbers> numbers_ = std::make_shared<ArticleNumbers>();
  uint64_t uses_ = 0;
};

// The remembered windows of all sites. Not thread-safe: used on the store's executor.
class WindowMemory {
 public:
  // `entries_max` bounds the places and counts of all sites together; see kRememberedEntriesMax.
  explicit WindowMemory(size_t entries_max) : entries_max_(entries_max) {}

  // Returns the memory of a shard. Forgets everything first if the store was connected again since the last call, and
  // what was not used lately if there is too much. The result is valid until the next call; what it knows may be less
  // then.
  ShardMemory& Of(SiteIndex site, Shard shard, uint64_t generation);
  // Forgets a shard of a site, after an answer that was older than what is known.
  void Forget(SiteIndex site, Shard shard);
  // Returns the number of places, counts and IDs, in the unit of `entries_max`.
  size_t entries() const;

 private:
  void Trim();

  const size_t entries_max_;
  uint64_t generation_ = 0;
  // The number of calls until the entries are counted again.
  size_t calls_ = 0;
  std::map<std::pair<SiteIndex, Shard>, ShardMemory> shards_;
};

}  // namespace viewcount
