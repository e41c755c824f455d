// The watched articles of one site, and their known counts. Each article is stored once, whatever the number of its
// watches.
//
// Every article, and the site's total, has the version in which it last changed or was first watched. Versions are
// counted over all sites. A watcher that has seen everything up to a version lacks exactly the changes with a higher
// one.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/query/count_reader.h"
#include "service/query/site_stats_reader.h"
#include "service/sites/site.h"

namespace viewcount {

// Not thread-safe.
class WatchedSite {
 public:
  // A watched article. Its index stays the same as long as it is watched.
  struct Slot {
    std::string id;
    ArticleTotals totals;
    // 0 until the article was read.
    uint64_t changed_version = 0;
    // The number of the read that the counts come from. A read that began earlier is ignored.
    uint64_t read_number = 0;
    int64_t as_of_unix_ms = 0;
    uint32_t watches = 0;
  };
  struct Total {
    uint64_t views = 0;
    uint64_t visits = 0;
    uint64_t changed_version = 0;
    uint64_t read_number = 0;
    int64_t as_of_unix_ms = 0;
  };
  // Articles that are read together: their slots and their IDs. When the answer arrives, a slot may belong to another
  // article.
  struct Piece {
    std::vector<uint32_t> slots;
    std::vector<std::string> ids;
  };

  // Adds a watch of the article, and returns the article's slot.
  uint32_t Add(const std::string& id);
  // Removes a watch of the slot's article.
  void Remove(uint32_t slot);

  const Slot& slot(uint32_t index) const { return slots_[index]; }
  const Total& total() const { return total_; }
  // The number of different articles.
  size_t articles() const { return by_id_.size(); }

  // Returns the next articles, from slot `from` on, at most limits::kGetCountsArticlesMax. Moves `from` to the slot
  // after them. Returns an empty piece at the end.
  Piece NextPiece(uint32_t& from) const;
  // Stores the counts of those articles that are still watched. The piece may even come from an earlier WatchedSite of
  // the same site. Counts that changed get the version `version`. Returns false if none changed.
  bool Update(const Piece& piece, const Counts& counts, uint64_t read_number, uint64_t version);
  bool UpdateTotal(const SiteTotal& total, uint64_t read_number, uint64_t version);

 private:
  // A deque never moves its elements, which matters because the map's keys refer to their IDs.
  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
  boost::unordered_flat_map<std::string_view, uint32_t> by_id_;
  Total total_;
};

}  // namespace viewcount
