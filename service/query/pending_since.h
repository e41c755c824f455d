// What this process has taken since a moment of the past and still holds: it brings an answer of before up to date
// while the store is away.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/lane/ledger.h"
#include "service/sites/site.h"

namespace viewcount {

// A moment of every lane. An answer that was complete before it is followed by what AddPending finds; what was folded
// in the same chunk as the answer's newest views, or was flushed since, is missing from that: at most what a flush
// interval brings, if the store went away soon after.
struct LedgerMoment {
  // After the answer: where a chunk begins that holds nothing of before.
  std::vector<Position> since;
  // Not after the answer, of the site: Ledger::Still::Folded.
  std::vector<int64_t> folded;

  // By how much the site's total has grown or shrunk since by what this process folded.
  int64_t FoldedSince(std::span<Ledger* const> ledgers, SiteIndex site) const;
};

std::vector<int64_t> FoldedNow(std::span<Ledger* const> ledgers, SiteIndex site);
// For `since` of a LedgerMoment.
std::vector<Position> SinceNow(std::span<Ledger* const> ledgers, const Site& site);

// A lane's chunks since a moment, in the form that the ledger's questions take.
struct ChunksSince {
  Ledger::Mark mark;
  ShardCursors cursors;
};
// False if there are none.
bool FindSince(const Ledger& ledger, Position since, ChunksSince& found);

}  // namespace viewcount
