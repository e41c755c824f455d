// The articles of one site that somebody watches, each once however many do, and what is known of them.
//
// Every article, and the site's total, has the version in which it last changed or was first watched. Versions count up
// over all sites; whoever has seen everything up to a version lacks exactly what has a higher one.
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

// One thread at a time.
class WatchedSite {
 public:
  // An article; its index stays the same as long as somebody watches it.
  struct Slot {
    std::string id;
    ArticleTotals totals;
    // 0 until it was read.
    uint64_t changed_version = 0;
    // The number of the read that it is from: one that began earlier says nothing new.
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
  // Articles to be read together: their slots, and their IDs, since a slot may be another's when the answer comes.
  struct Piece {
    std::vector<uint32_t> slots;
    std::vector<std::string> ids;
  };

  // One more watches the article. Its slot.
  uint32_t Add(const std::string& id);
  // One less.
  void Remove(uint32_t slot);

  const Slot& slot(uint32_t index) const { return slots_[index]; }
  const Total& total() const { return total_; }
  // Different articles.
  size_t articles() const { return by_id_.size(); }

  // The next articles from slot `from` on, at most limits::kGetCountsArticlesMax; moves `from` behind them. Empty at
  // the end.
  Piece NextPiece(uint32_t& from) const;
  // Takes over what was read, of the articles that are still watched; the piece may even be of an earlier WatchedSite
  // of the same site. What changed by it has version `version`; false if nothing did.
  bool Update(const Piece& piece, const Counts& counts, uint64_t read_number, uint64_t version);
  bool UpdateTotal(const SiteTotal& total, uint64_t read_number, uint64_t version);

 private:
  // Never moves an element: the map's keys are their IDs.
  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
  boost::unordered_flat_map<std::string_view, uint32_t> by_id_;
  Total total_;
};

}  // namespace viewcount
