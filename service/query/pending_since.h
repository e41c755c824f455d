// The views that this process has taken since a past moment and still holds. They bring an earlier answer up to date
// while the store is unreachable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/lane/ledger.h"
#include "service/sites/site.h"

namespace viewcount {

// A moment of every lane, noted with an answer. The views in the chunks that FindSince returns can be added to the
// answer. Missing are views in the chunk of the answer's newest views, and views that were flushed since. If the store
// became unreachable soon after the answer, that is at most the views of one flush interval.
struct LedgerMoment {
  // Positions noted after the answer. A chunk that begins at or after its lane's position holds nothing of the answer.
  std::vector<Position> since;
  // For every lane, Ledger::LockedView::Folded of the site, noted no later than the answer.
  std::vector<int64_t> folded;

  // Returns by how much the views folded by this process since then have changed the site's total. May be negative.
  int64_t FoldedSince(std::span<Ledger* const> ledgers, SiteIndex site) const;
};

// Returns Ledger::LockedView::Folded of the site for every lane, for use as `folded` of a LedgerMoment. Thread-safe.
std::vector<int64_t> FoldedNow(std::span<Ledger* const> ledgers, SiteIndex site);
// Returns positions for use as `since` of a LedgerMoment. Thread-safe.
std::vector<Position> SinceNow(std::span<Ledger* const> ledgers, const Site& site);

// A lane's chunks since a moment, in the form in which the ledger's functions take them.
struct ChunksSince {
  Ledger::Snapshot mark;
  ShardCursors cursors;
};
// Finds a lane's chunks since a moment. Returns false if there are none. Thread-safe.
bool FindSince(const Ledger& ledger, Position since, ChunksSince& found);

}  // namespace viewcount
